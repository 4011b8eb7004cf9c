// The first five minutes of README.md, as a stranger with the packed packages has them: in an empty folder, each command
// copied as it stands: but the packages' tarballs stand for the registry, and `sub` is given -d, to know
// when it listens. Ports 1883 and 1884 must be free.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background } from './background.mjs'
import { packAll } from './pack.mjs'
import { PrepareError, report, root, run } from './prepare.mjs'

const text = readFileSync(join(root, 'README.md'), 'utf8')
const [, chapter = ''] = /^## Start in five minutes$([\s\S]*?)^## /m.exec(text) ?? []
const blocks = [...chapter.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, block = '']) => ({
  language,
  block,
}))
const commands = blocks.filter(({ language }) => language === 'sh').flatMap(({ block }) => block.trim().split('\n'))
const program = blocks.find(({ language }) => language === 'js')?.block ?? ''
const [, inline = ''] = /`(npx godwit pub -p[^`]*)`/.exec(chapter) ?? []

await report(async () => {
  const start = Date.now()
  const folder = mkdtempSync(join(tmpdir(), 'godwit-readme-'))
  /** @type {Background[]} */
  const running = []
  /** @param {string} command @param {RegExp} [ready] */
  const begin = async (command, ready) => {
    const options = { cwd: join(folder, 'home'), group: true, ...(ready && { ready }) }
    const one = await Background.start(['sh', '-c', command], options)
    running.push(one)
    return one
  }
  try {
    mkdirSync(join(folder, 'home'))
    const [install = '', broker = '', sub = '', pub = ''] = commands
    const packed = await packAll(folder)
    assert.deepEqual(install.split(' ').slice(0, 2), ['npm', 'install'])
    const missing = install
      .split(' ')
      .slice(2)
      .filter((name) => !packed.some((one) => one.name === name))
    if (missing.length > 0) throw new PrepareError(`README.md installs ${missing}, which is no package of ours`)
    const tarballs = packed.map(({ tarball }) => tarball)
    const { code, output } = await run('npm', ['install', '--prefix', join(folder, 'home'), ...tarballs], {
      quiet: true,
    })
    if (code !== 0) throw new PrepareError(`the packages do not install\n${output}`)

    await begin(broker, /listening on 127\.0\.0\.1:1883/)
    const listener = await begin(`${sub} -d`, /SUBACK|subscribed/i)
    await (await begin(pub)).success()
    await says(listener, 'home/kitchen hello')

    writeFileSync(join(folder, 'home/embedded.mjs'), program)
    const embedded = await begin('node embedded.mjs', /listening on 1884/)
    await (await begin(inline)).success()
    await says(embedded, 'kitchen hello')
    console.log(
      `ok README.md: a message sent and received, a broker embedded, ${Math.round((Date.now() - start) / 1000)} s`,
    )
  } finally {
    for (const one of running) await one.stop()
    rmSync(folder, { recursive: true })
  }
})

/**
 * @param {Background} one
 * @param {string} line
 */
async function says(one, line) {
  for (let waited = 0; !one.output.split('\n').includes(line); waited += 50) {
    if (waited > 10_000) throw new PrepareError(`${one.name} does not print "${line}":\n${one.output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
