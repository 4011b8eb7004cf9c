// Plays the blocks of CONTRIBUTING.md, docs/ and the packages' pages that are not TypeScript (check-blocks.mjs has those,
// check-readme.mjs README.md): shell commands run, JavaScript runs and prints what it says, configurations are checked by
// `godwit config check`, JSON is JSON. What cannot be played has its reason here. Ports 1883 to 1885, 8083, 8084 and 8883
// must be free. With words, only pages whose names contain one of them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { Stage } from './docs-stage.mjs'
import { blocksOf, pages } from './markdown-pages.mjs'
import { PrepareError, report } from './prepare.mjs'

/** @typedef {import('./markdown-pages.mjs').Block} Block */

/**
 * Blocks that are not played: how they begin, and why.
 * @type {Readonly<Record<string, string>>}
 */
const notPlayed = {
  'npm install @godwit/': 'check-readme.mjs installs the packed packages',
}

/** What was only looked at. */
const counted = { elsewhere: 0 }

/** Commands that are left out: what stands for them is there already. */
const alreadyThere = new Set(['npm install godwit @godwit/broker @godwit/client'])

/** What lasts until it is told to stop, and what shows that it works. */
const lasting = [
  { form: /^(npx )?godwit broker\b/, ready: /an acknowledgement/ },
  { form: /^(npx )?godwit sub\b(?!.* -[CE]\b)/, ready: /subscribed to/, more: ' -d' },
]

/** Pages whose reader goes on with the broker that the page has started; any other block finds the usual one again. */
const withBrokerOfTheirOwn = new Set([
  'docs/start.md',
  'docs/glossary.md',
  'docs/home-assistant.md',
  'docs/monitoring.md',
])

/**
 * What a page must have printed in the end.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const says = {
  'docs/start.md': ['home/kitchen hello', 'kitchen hello'],
}

/**
 * What a page finds on the stage besides the broker, before it and after it.
 * @type {Readonly<Record<string, { before?: (stage: Stage) => Promise<unknown>, after?: (stage: Stage) => Promise<unknown> }>>}
 */
const scenes = {
  'docs/moving-from-mosquitto.md': {
    before: async (stage) => {
      await stage.begin('godwit broker --port 1884 --data memory', /an acknowledgement/)
      await stage.play("printf 'a\\nb' | godwit pub -t 'home/two words' -r -q 1 -s")
    },
    after: (stage) => stage.play('test "$(godwit sub -p 1884 -t \'home/#\' -C 1 -W 5)" = "$(printf \'a\\nb\')"'),
  },
  'docs/operating.md': { before: (stage) => stage.play('godwit pub -t a -m b -i thermostat') },
}

/** @type {Readonly<Record<string, (stage: Stage, block: Block) => Promise<void>>>} */
const play = {
  ts: async () => {},
  powershell: async () => {}, // another system's
  xml: async () => {}, // the same
  text: async () => {},
  sql: async () => {}, // the tests of the plugin ask the same of a real database
  html: async () => {}, // an example: check-examples.mjs opens it
  // One value, or a log: one a line.
  json: async (_stage, { text }) => {
    for (const value of /^[{[]\n/.test(text) ? [text] : text.trim().split('\n')) JSON.parse(value)
  },
  js: async (stage, { page, text }) => {
    writeFileSync(join(stage.folder, 'program.mjs'), text)
    const output = await stage.play('node program.mjs')
    const promised = [...text.matchAll(/console\.log\(.*\) \/\/ ([^;:\n]+)/g)].map(([, line = '']) => line.trim())
    for (const line of [...promised, ...(says[page]?.slice(1) ?? [])]) {
      if (!output.split('\n').includes(line)) throw new Error(`it does not print "${line}":\n${output}`)
    }
  },
  yaml: async (stage, { text }) => {
    const isRules = text.startsWith('rules:')
    writeFileSync(join(stage.folder, isRules ? 'rules-of-page.yaml' : 'godwit.yaml'), stage.prepared(text))
    if (isRules) writeFileSync(join(stage.folder, 'with-rules.yaml'), 'acl: { file: rules-of-page.yaml }\n')
    await stage.play(`godwit config check ${isRules ? 'with-rules.yaml' : 'godwit.yaml'}`)
  },
  sh: async (stage, { page, text }) => {
    const lines = text.split('\n').filter((line) => line !== '' && !alreadyThere.has(line))
    if (text.startsWith('godwit passwd')) return void (await stage.play(`typing ${text}`))
    if (!lines.some((line) => lasting.some(({ form }) => form.test(line)))) return void (await stage.play(text))
    for (const line of lines) await playLine(stage, line.replace(/ +# .*/, ''))
    if (withBrokerOfTheirOwn.has(page) || !text.includes('godwit broker')) return
    await stage.clear()
    await stage.startBroker()
  },
}

/**
 * @param {Stage} stage
 * @param {string} line
 */
async function playLine(stage, line) {
  const kind = lasting.find(({ form }) => form.test(line))
  if (!kind) return void (await stage.play(line))
  const isBroker = /godwit broker/.test(line)
  if (isBroker) await stage.clear() // it takes the place of the one that was there
  const one = await stage.begin(`${line}${kind.more ?? ''}`, kind.ready)
  if (!isBroker) return
  stage.broker = one
  if (!/--(config|port)/.test(line)) await stage.answerClock()
}

/**
 * Of what belongs on another machine (`elsewhere` behind the language): the shell can read it, YAML is YAML.
 * @param {Stage} stage
 * @param {Block} block
 */
async function checkForm(stage, { language, text }) {
  if (language === 'yaml') return void parseYaml(text)
  if (language !== 'sh') throw new Error(`nobody looks at ${language} of elsewhere`)
  writeFileSync(join(stage.folder, 'elsewhere.sh'), text)
  await stage.play('bash -n elsewhere.sh')
}

/**
 * @param {Stage} stage
 * @param {string} page
 * @param {Block[]} blocks
 */
async function playPage(stage, page, blocks) {
  await stage.startBroker()
  await scenes[page]?.before?.(stage)
  for (const block of blocks) {
    const begins = Object.keys(notPlayed).find((beginning) => block.text.startsWith(beginning))
    const where = `${block.page}:${block.line}`
    if (block.words.includes('elsewhere')) {
      await checkForm(stage, block).catch((error) => {
        throw new PrepareError(`${where}: ${error instanceof Error ? error.message : error}`)
      })
      counted.elsewhere += 1
      continue
    }
    if (begins) {
      console.log(`   ${where} is not played: ${notPlayed[begins]}`)
      continue
    }
    const player = play[block.language]
    if (!player) throw new PrepareError(`${where}: nobody plays ${block.language}; see scripts/check-docs.mjs`)
    await player(stage, block).catch((error) => {
      throw new PrepareError(`${where}: ${error instanceof Error ? error.message : error}`)
    })
  }
  await scenes[page]?.after?.(stage)
  for (const line of says[page]?.slice(0, 1) ?? []) await stage.heard(line)
  await stage.clear()
}

await report(async () => {
  const words = process.argv.slice(2)
  const stage = new Stage()
  try {
    await stage.setUp()
    for (const page of pages.filter((name) => words.length === 0 || words.some((word) => name.includes(word)))) {
      const blocks = page === 'README.md' ? [] : blocksOf(page).filter(({ language }) => language !== 'ts')
      if (blocks.length === 0) continue
      const start = Date.now()
      await playPage(stage, page, blocks)
      console.log(`ok ${page}: ${blocks.length} blocks, ${Math.round((Date.now() - start) / 1000)} s`)
    }
    console.log(`${counted.elsewhere} blocks belong on another machine: only their form was looked at`)
  } finally {
    await stage.strike()
  }
})
