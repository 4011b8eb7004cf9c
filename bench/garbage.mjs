// What garbage collection costs the broker at full load: its pauses, seen from inside by gc-observer.mjs, and its memory
// before, during and five seconds after the load, seen from outside.
//
//   npm run build && node bench/garbage.mjs [--seconds 60] [--load 'p2p --pubs 50 --subs 50 --window 100 --qos 1']
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Background, freePort } from '../scripts/background.mjs'
import { root } from '../scripts/prepare.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    load: { type: 'string', default: 'p2p --pubs 50 --subs 50 --window 100 --qos 1' },
  },
})
const main = join(root, 'packages/cli/dist/main.js')
const port = `${await freePort()}`
const observed = ['--import', join(root, 'bench/gc-observer.mjs'), main, 'broker', '--port', port, '--data', 'memory']
const broker = await Background.start([process.execPath, ...observed], { ready: new RegExp(`\\b${port}\\b`) })
try {
  await sleep(1000)
  const before = memory()
  let most = before
  const sampling = setInterval(() => {
    most = Math.max(most, memory())
  }, 250)
  const args = ['bench', ...values.load.split(' '), `127.0.0.1:${port}`, '--seconds', values.seconds]
  const load = spawn(process.execPath, [main, ...args], { stdio: 'inherit' })
  const [exitCode] = await once(load, 'close')
  clearInterval(sampling)
  if (exitCode !== 0) throw new Error(`the load ended with exit code ${exitCode}`)
  await sleep(5000)
  const after = memory()
  await broker.stop()
  const { pauses, longestMs, totalMs } = JSON.parse(/^garbage: (.*)$/m.exec(broker.output)?.[1] ?? '{}')
  console.log(`  pauses        ${pauses} of garbage collection, the longest ${longestMs} ms, ${totalMs} ms together`)
  console.log(`  memory        ${before} MiB before, ${most} at most, ${after} five seconds after (RssAnon)`)
} finally {
  await broker.stop()
}

/** In MiB, to one decimal. */
function memory() {
  const [, kibibytes = 0] = /^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${broker.pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kibibytes) / 102.4) / 10
}
