// Tells which source files are longer than a reader should have to take in at once: length follows the subject, so it only asks.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const mostLines = 400

/**
 * Files that may be longer, each with the reason. Only tables belong here.
 * @type {Readonly<Record<string, string>>}
 */
const exceptions = {
  'packages/console/src/page/texts.ts': 'every word of the console, where whoever translates it looks',
  'packages/protocol/test/vectors.ts': 'the table of bytes and their meaning, for every packet and version',
}

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.ts', '*.mjs', '*.py'], {
  cwd: root,
})
  .toString()
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))

/** @param {string} path */
const linesOf = (path) => readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length

const problems = [
  ...files
    .filter((path) => !(path in exceptions) && linesOf(path) > mostLines)
    .map((path) => `${path} has ${linesOf(path)} lines, more than ${mostLines}: split it by reason to change`),
  ...Object.keys(exceptions)
    .filter((path) => !files.includes(path) || linesOf(path) <= mostLines)
    .map((path) => `${path} needs no exception any more: take it out of check-sizes.mjs`),
]
for (const problem of problems) console.log(`look at it: ${problem}`)
console.log(`sizes: ${files.length} files, ${problems.length} to look at`)
