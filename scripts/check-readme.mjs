// README.md as a newcomer plays it, block by block: `npm start` and what follows in the clone, then everything else in an
// empty folder with the packed packages. Commands are typed as they stand, programs are saved under the name in their first
// line; what a program's comments promise must be printed. Ports 1883 and 1884 must be free.
//   NODES_OF_README=/path/to/node:…   releases of Node that run the TypeScript by themselves, as README.md says
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background } from './background.mjs'
import { blocksOf, promised } from './markdown-pages.mjs'
import { PrepareError, report, root, run } from './prepare.mjs'

/** Acceptance: who has the packages on the machine is through with it sooner than this. */
const mostSeconds = 300

/** The first block that belongs into the folder of one's own. */
const ownFolder = /^npm init/
/** What goes on until it is stopped, what shows that it works, and `-d`, so that a subscriber says so. */
const lasting = [
  { form: /^npm start|^npx godwit broker/, ready: /an acknowledgement/, more: '' },
  { form: /^npx godwit sub\b/, ready: /SUBACK|subscribed/i, more: ' -d' },
  { form: /^npx tsx embedded/, ready: /listening on/, more: '' },
]
/** Who prints what, once the block that begins so has been typed. */
const heard = [
  { after: /^npx godwit pub -t home\/kitchen/, by: /godwit sub/, line: 'home/kitchen hello' },
  { after: /^npx godwit pub -p 1884/, by: /embedded/, line: 'kitchen hello' },
]

const folder = mkdtempSync(join(tmpdir(), 'godwit-readme-'))
const home = join(folder, 'my-mqtt')
/** @type {Background[]} */
const running = []
let place = root
/** @type {string} */
let program = ''

/** @param {string} command @param {RegExp} [ready] */
async function begin(command, ready) {
  const typed = `export GODWIT_DATA='${join(folder, 'data')}'; ${command}`
  const one = await Background.start(['bash', '-c', typed], {
    cwd: place,
    group: true,
    readyMs: 120_000,
    ...(ready && { ready }),
  })
  running.push(one)
  return one
}

async function closeTerminals() {
  for (const one of running.splice(0).toReversed()) await one.stop()
}

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

/** @param {string} block */
async function type(block) {
  if (ownFolder.test(block)) {
    await closeTerminals()
    mkdirSync(home)
    symlinkSync(root, join(folder, 'godwit'))
    place = home
  }
  for (const line of block.trim().split('\n')) {
    const kind = lasting.find(({ form }) => form.test(line))
    const one = await begin(`exec ${line}${kind?.more ?? ''}`.replace('exec npm', 'npm'), kind?.ready)
    const lines = / hello\.|embedded\./.test(line) && !line.includes('tsc') ? promised(program) : []
    if (!kind) await one.success()
    for (const wanted of lines) await says(one, wanted)
    const next = heard.find(({ after }) => after.test(line))
    const listener = running.find(({ name }) => next?.by.test(name))
    if (next && !listener) throw new PrepareError(`nobody runs who could print "${next.line}"`)
    if (next && listener) await says(listener, next.line)
  }
}

/** What README.md says about releases of Node that run TypeScript themselves. */
async function onOtherNodes() {
  for (const node of (process.env.NODES_OF_README ?? '').split(':').filter((path) => path !== '')) {
    const { output } = await run(node, ['--version'], { quiet: true })
    const [major = 0, minor = 0] = output.slice(1).split('.').map(Number)
    if (major >= 24) await says(await begin(`exec '${node}' hello.ts`), 'kitchen 21.5')
    if (major < 22 || (major === 22 && minor < 18)) continue
    const embedded = await begin(`exec '${node}' embedded.ts`, /listening on 1884/)
    await embedded.stop()
    console.log(`ok Node ${output.trim()} runs the TypeScript by itself`)
  }
}

await report(async () => {
  const start = Date.now()
  try {
    const played = blocksOf('README.md')
    for (const { language, line, text } of played) {
      const from = Date.now()
      if (language === 'sh') await type(text)
      else {
        const [, name = ''] = /^\/\/ (\S+)\n/.exec(text) ?? []
        if (name === '') throw new PrepareError(`README.md:${line}: the first line of a program says its file`)
        program = text
        writeFileSync(join(place, name), text)
      }
      console.log(`ok README.md:${line} (${((Date.now() - from) / 1000).toFixed(1)} s) ${text.split('\n')[0]}`)
    }
    await Promise.all(running.filter(({ name }) => name.includes('embedded')).map((one) => one.stop()))
    await onOtherNodes()
    const seconds = Math.round((Date.now() - start) / 1000)
    if (seconds > mostSeconds) throw new PrepareError(`README.md takes ${seconds} s, and may take ${mostSeconds}`)
    console.log(`ok README.md: ${played.length} blocks, ${seconds} s`)
  } finally {
    await closeTerminals()
    rmSync(folder, { recursive: true, force: true })
  }
})
