// What it costs to look: CPU a message of the row pipe, QoS 0, with metrics read every second and a trace of another client
// open, beside the same broker unwatched, in turns.
//
//   npm run build && node bench/watched.mjs [--runs 7] [--seconds 3] [--load FILE.c]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../scripts/background.mjs'
import { root } from '../scripts/prepare.mjs'
import { median } from './compare.mjs'
import { godwit, measure } from './contestants.mjs'
import { godwitBench, mqttload } from './loads.mjs'
import { selectRows } from './rows.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    load: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const row = /** @type {import('./rows.mjs').Row} */ (selectRows(['pipe-qos0'])[0])
const folder = mkdtempSync(join(tmpdir(), 'godwit-watched-'))
const load = values.load === undefined ? godwitBench : mqttload(values.load, folder)
const unwatched = godwit('memory')

/** CPU a message in one run, in microseconds. */
async function watched() {
  const [metrics, control] = [await freePort(), join(folder, 'control')]
  const contestant = {
    ...unwatched,
    /** @param {number} port @param {string} data */
    program(port, data) {
      const { command, ready } = unwatched.program(port, data)
      return { command: [...command, '--metrics', `${metrics}`, '--control', control], ready }
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
      const command = [join(root, 'packages/cli/dist/main.js'), 'trace', '--control', control, '--client', 'nobody']
      trace = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] })
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

try {
  const ratios = []
  for (let run = 1; run <= Number(values.runs); run++) {
    const alone = (await measure(unwatched, row, { load, seconds })).cpu_us_per_msg ?? Number.NaN
    const looked = await watched()
    ratios.push(looked / alone)
    console.log(`${run}: ${alone.toFixed(3)} µs a message alone, ${looked.toFixed(3)} watched`)
  }
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
  console.log(`watched / alone: ${median(ratios).toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`)
} finally {
  rmSync(folder, { recursive: true })
}
