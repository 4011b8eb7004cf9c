// What it costs to look: CPU a message of the row pipe, QoS 0, with metrics read every second and a trace of another client
// open, beside the same broker unwatched, in turns. With `--pages 100`, so many pages of the console are open instead: each a stream
// of the HTTP API with changes, log and metrics. With `--chromium 20`, so many of these are real ones, each with a profile of its own,
// since tabs of one share a stream.
//
//   npm run build && node bench/watched.mjs [--runs 7] [--seconds 3] [--load FILE.c] [--pages 0] [--chromium 0]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatTokens, hashOfToken, newToken } from '@godwit/admin'
import { Background, freePort } from '../scripts/background.mjs'
import { openBrowser } from '../scripts/browser.mjs'
import { root } from '../scripts/prepare.mjs'
import { median } from './compare.mjs'
import { godwit, measure } from './contestants.mjs'
import { godwitBench, mqttload } from './loads.mjs'
import { rows, selectRows } from './rows.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    load: { type: 'string' },
    pages: { type: 'string', default: '0' },
    chromium: { type: 'string', default: '0' },
  },
})
const seconds = Number(values.seconds)
const real = Number(values.chromium)
const pages = Math.max(real, Number(values.pages))
const row = /** @type {import('./rows.mjs').Row} */ (selectRows(rows, ['pipe-qos0'])[0])
const folder = mkdtempSync(join(tmpdir(), 'godwit-watched-'))
const load = values.load === undefined ? godwitBench : mqttload(values.load, folder)
const unwatched = godwit('memory')
const command = join(root, 'packages/cli/dist/main.js')
const control = join(folder, 'control')

/** CPU a message in one run, in microseconds. */
async function watched() {
  const metrics = await freePort()
  const contestant = {
    ...unwatched,
    /** @param {import('./contestants.mjs').Place} place */
    program(place) {
      const { command: plain, ready } = unwatched.program(place)
      return { command: [...plain, '--metrics', `${metrics}`, '--control', control], ready }
    },
  }
  let scrapes = 0
  let hasBegun = false
  const reading = setInterval(async () => {
    await fetch(`http://127.0.0.1:${metrics}/metrics`)
      .then((response) => response.text())
      .then(() => {
        scrapes++
      })
      .catch(() => {}) // before the broker is there, and after
  }, 1000)
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let trace
  const tracing = {
    ...load,
    command: (/** @type {any} */ ...args) => {
      const words = ['trace', '--control', control, '--client', 'nobody']
      trace = spawn(process.execPath, [command, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
      trace.stderr?.once('data', () => {
        hasBegun = true // it says so
      })
      return load.command(.../** @type {[any, any]} */ (args))
    },
  }
  try {
    const figures = await measure(contestant, row, { load: tracing, seconds })
    if (scrapes < seconds - 1) throw new Error(`the metrics were read ${scrapes} times in ${seconds} s`)
    if (!hasBegun) throw new Error('the trace has not begun')
    return figures.cpu_us_per_msg ?? Number.NaN
  } finally {
    clearInterval(reading)
    trace?.kill()
    if (trace && trace.exitCode === null) await once(trace, 'close')
  }
}

/** The same with pages open. */
async function followed() {
  const port = await freePort()
  const token = newToken()
  const file = join(folder, 'tokens.json')
  const createdAt = new Date().toISOString()
  writeFileSync(
    file,
    formatTokens([{ name: 'bench', role: 'viewer', sha256: hashOfToken(token), createdAt, expiresAt: null }]),
  )
  process.env.GODWIT_HTTP__TOKENS_FILE = file
  const contestant = {
    ...unwatched,
    /** @param {import('./contestants.mjs').Place} place */
    program(place) {
      const { command: plain, ready } = unwatched.program(place)
      return { command: [...plain, '--http', `${port}`, '--control', control], ready }
    },
  }
  const left = new AbortController()
  let opened = 0
  let events = 0
  const open = async () => {
    const headers = { authorization: `Bearer ${token}` }
    const url = `http://127.0.0.1:${port}/api/v1/events?feeds=changes,log,metrics`
    const { body, status } = await fetch(url, { headers, signal: left.signal })
    if (status !== 200 || !body) return
    opened++
    for await (const _ of body) events++
  }
  const browser = real > 0 ? await openBrowser() : undefined
  const before = async () => {
    for (let page = 0; page < real; page++)
      await showConsole(/** @type {import('playwright-core').Browser} */ (browser))
    for (let page = real; page < pages; page++) open().catch(() => {}) // the broker ends before its pages do
  }
  try {
    const figures = await measure(contestant, row, { load, seconds, before })
    const streams = pages - real
    if (opened < streams || events < streams * (seconds - 1))
      throw new Error(`${opened} pages had ${events} events in ${seconds} s`)
    return figures.cpu_us_per_msg ?? Number.NaN
  } finally {
    left.abort()
    await browser?.close()
  }
}

/** Logs in with a link of its own, and waits for live figures. @param {import('playwright-core').Browser} browser */
async function showConsole(browser) {
  const asking = await Background.start([process.execPath, command, 'console', '--control', control])
  await asking.success()
  const page = await browser.newPage()
  await page.goto(asking.output.trim())
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
}

try {
  const ratios = []
  for (let run = 1; run <= Number(values.runs); run++) {
    const alone = (await measure(unwatched, row, { load, seconds })).cpu_us_per_msg ?? Number.NaN
    const looked = await (pages > 0 ? followed() : watched())
    ratios.push(looked / alone)
    console.log(`${run}: ${alone.toFixed(3)} µs a message alone, ${looked.toFixed(3)} watched`)
  }
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
  console.log(`watched / alone: ${median(ratios).toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`)
} finally {
  rmSync(folder, { recursive: true })
}
