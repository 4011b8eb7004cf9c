// How the console's tree of topics is to use: 100,000 topics that are retained, 5,000 messages a second to them at random, and somebody
// who walks through the tree and searches, in Chromium. Time from each input to the next paint, as the browser tells it, and memory.
//
//   npm run build && node bench/console-topics.mjs [--topics 100000] [--rate 5000]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connect } from '@godwit/client'
import { Background } from '../scripts/background.mjs'
import { openBrowser } from '../scripts/browser.mjs'
import { root } from '../scripts/prepare.mjs'

const { values } = parseArgs({
  options: { topics: { type: 'string', default: '100000' }, rate: { type: 'string', default: '5000' } },
})
const topics = Number(values.topics)
const rate = Number(values.rate)
const tickMs = 20

const folder = mkdtempSync(join(tmpdir(), 'godwit-topics-'))
const godwit = [process.execPath, join(root, 'packages/cli/bin/godwit.js')]
const control = join(folder, 'control')
const broker = await Background.start(
  [...godwit, 'broker', '--port', '0', '--data', 'memory', '--control', control, '--http', '0'],
  { ready: /console and HTTP API/ },
)
const browser = await openBrowser()
try {
  const [, port] = /127\.0\.0\.1:(\d+)/.exec(broker.output) ?? []
  const client = await connect(`mqtt://127.0.0.1:${port}`)
  const topic = (/** @type {number} */ n) =>
    `site/${n % 10}/line-${Math.floor(n / 10) % 100}/machine-${Math.floor(n / 1000)}/value`
  for (let n = 0; n < topics; n++) await client.publish(topic(n), `{"value":${n},"unit":"C"}`, { retain: true })

  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  const asking = await Background.start([...godwit, 'console', '--control', control])
  await asking.success()
  await page.goto(asking.output.trim())
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  const painted = await page.evaluate('performance.getEntriesByName("first-contentful-paint")[0]?.startTime')
  console.log(`first paint after ${Math.round(Number(painted))} ms`)

  const begun = performance.now()
  await page.evaluate('location.hash = "#/topics"')
  await page
    .getByText(`topics: ${topics.toLocaleString('en')},`)
    .first()
    .waitFor()
  console.log(`${topics} topics shown after ${Math.round(performance.now() - begun)} ms`)

  let sent = 0
  const since = performance.now()
  const publishing = setInterval(() => {
    for (; sent < ((performance.now() - since) * rate) / 1_000; sent++) {
      client.publish(topic(Math.floor(Math.random() * topics)), `{"value":${Math.random()},"unit":"C"}`).catch(() => {})
    }
  }, tickMs)
  await page.evaluate(`{
    globalThis.inputs = []
    const heard = (list) => globalThis.inputs.push(...list.getEntries().map(({ duration }) => duration))
    new PerformanceObserver(heard).observe({ type: 'event', durationThreshold: 16 })
  }`)
  await page.getByRole('tree').focus()
  const walk = [
    'ArrowRight',
    'ArrowDown',
    'ArrowRight',
    'ArrowDown',
    'ArrowRight',
    'ArrowDown',
    'Enter',
    'PageDown',
    'ArrowUp',
  ]
  for (let round = 0; round < 20; round++) for (const key of walk) await press(key)
  await page.getByRole('searchbox').focus()
  for (const key of 'machine-5') await press(key)
  const inputs = /** @type {number[]} */ (await page.evaluate('globalThis.inputs')).sort((one, other) => one - other)
  const arrived = Math.round((sent * 1_000) / (performance.now() - since))
  clearInterval(publishing)
  const at = (/** @type {number} */ share) => inputs[Math.floor(inputs.length * share)] ?? 0
  // The browser tells only of those that took a frame or more, so that the whole is better than this.
  console.log(
    `${arrived} messages a second: input to paint p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, at most ${inputs.at(-1)} ms`,
  )
  const heap = Number(await page.evaluate('performance.memory.usedJSHeapSize'))
  console.log(`${Math.round(heap / 1_048_576)} MiB of memory in the page`)

  /** @param {string} key */
  async function press(key) {
    await page.keyboard.press(key)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await client.close()
} finally {
  await browser.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
}
