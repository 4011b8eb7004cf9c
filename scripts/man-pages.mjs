// Writes the manual pages of the command, from what its help prints, into packages/cli/man (not kept in git: part of the build).
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './prepare.mjs'

const cli = join(root, 'packages/cli')
/** @param {string} name */
const built = (name) => import(pathToFileURL(join(cli, 'dist', name)).href)

const { commands } = await built('commands.js')
const { mainManPage, manPage, pageName } = await built('man-page.js')

const folder = join(cli, 'man')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
/** @type {[string, string][]} */
const rows = []
for (const [name, { summary, load }] of Object.entries(commands)) {
  const { lines } = await load()
  for (const line of lines()) {
    writeFileSync(join(folder, `${pageName(line.manual.name)}.1`), manPage(line))
    rows.push([line.manual.name.replaceAll(' ', '-'), line.manual.name === name ? summary : line.manual.summary])
  }
}
writeFileSync(join(folder, 'godwit.1'), mainManPage(rows))
