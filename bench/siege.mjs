// What one client, or many that are in the wrong, may cost everybody else: how long another client waits for its PUBACK and its
// PINGRESP, and how much memory the broker takes, on disk and at its default limits where nothing else is said. Fails when the PUBACK of
// another client takes 50 ms or more at p99 where the disk is well, or when memory grows by more than what may wait and
// 100 MB.
//
//   npm run proof -- --siege      or: npm run build && node bench/siege.mjs [--seconds 15] [--sessions 40000] [--case NAME]
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { encode } from '@godwit/protocol'
import { usageOf } from '../packages/cli/dist/bench/broker-process.js'
import { Background, freePort } from '../scripts/background.mjs'
import { root } from '../scripts/prepare.mjs'
import { withAllFiles } from './contestants.mjs'
import { LoopDisk } from './loop-disk.mjs'
import { Peer } from './peer.mjs'

/** @typedef {import('./siege-load.mjs').Siege} Siege */

/**
 * @typedef {object} Case
 * @property {Siege} load
 * @property {boolean} [isFull] On a disk of its own that is full from when the load begins.
 * @property {Record<string, number>} [limits]
 * @property {boolean} [isBefore] The load comes first, then the broker is killed, and what is measured begins with the next start.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    sessions: { type: 'string', default: '40000' },
    case: { type: 'string', default: '' },
  },
})
const [seconds, sessions] = [Number(values.seconds), Number(values.sessions)]

/** Until then all sessions are there, and it is waited until then. */
const overdueSeconds = Math.ceil(sessions / 1_000) + 2

/** @type {Readonly<Record<string, Case>>} */
const cases = {
  'SUBSCRIBE and UNSUBSCRIBE without end': { load: { type: 'subscriptions' } },
  'the same, the disk full': { load: { type: 'subscriptions' }, isFull: true },
  '50 devices come again with a will of 50 KB, the disk full': { load: { type: 'wills', devices: 50 }, isFull: true },
  'messages of 1 byte and 975 KB of properties for a session that sleeps': {
    load: { type: 'properties', retain: false },
    limits: { maxStoredBytes: 10_485_760 },
  },
  'the same, retained': { load: { type: 'properties', retain: true }, limits: { maxStoredBytes: 10_485_760 } },
  [`${sessions.toLocaleString('en')} sessions overdue at the start`]: {
    load: { type: 'sessions', sessions, seconds: overdueSeconds },
    isBefore: true,
  },
}

/** As the broker has it by default: what waits for commits and answers. */
const mayWait = 16 * 2 ** 20
const mib = (/** @type {number} */ bytes) => Math.round(bytes / 2 ** 20)
const mostGrowth = mayWait + 100e6
const mostWaitMs = 50
const everyMs = 10

/** @param {number[]} waits */
function told(waits) {
  const sorted = waits.toSorted((a, b) => a - b)
  const at = (/** @type {number} */ part) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0
  return {
    p99: at(0.99),
    words: sorted.length > 0 ? [0.5, 0.99, 1].map((part) => at(part).toFixed(1)).join(' / ') : '-',
  }
}

/** A broker in this folder. */
class Fortress {
  /** @param {string} folder @param {Record<string, number>} limits */
  constructor(folder, limits) {
    this.folder = folder
    this.limits = limits
  }

  async start() {
    this.port = await freePort()
    const config = `${this.folder}.json`
    writeFileSync(config, JSON.stringify({ listeners: [{ port: this.port }], limits: this.limits }))
    const program = [process.execPath, join(root, 'packages/cli/bin/godwit.js'), 'broker', '--config', config]
    const command = [...program, '--data', this.folder, '--http', 'none', '--log-level', 'error']
    this.broker = await Background.start(withAllFiles(command), { ready: /listening on/, readyMs: 60_000 })
    return this.broker
  }
}

/** The client that has done nothing: it publishes, one after another, and pings. */
class Bystander {
  /** @type {number[]} */
  pubacks = []
  /** @type {number[]} */
  pings = []
  #isOver = false

  /** @param {number} port */
  async begin(port) {
    const peer = new Peer(port, { clientId: 'bystander', clean: false })
    await peer.next('connack')
    peer.subscribe(['bystander'], 1)
    await peer.next('suback')
    /** @type {number[]} */
    const published = []
    /** @type {number[]} */
    const pinged = []
    peer.onPacket = ({ type }) => {
      const now = performance.now()
      if (type === 'puback') this.pubacks.push(now - (published[this.pubacks.length] ?? now))
      else if (type === 'pingresp') this.pings.push(now - (pinged[this.pings.length] ?? now))
    }
    const payload = new Uint8Array(64).fill(0x78)
    const message = { topic: 'bystander', payload, qos: /** @type {const} */ (1), retain: false, dup: false }
    const work = async () => {
      for (let packetId = 1; !this.#isOver; packetId = (packetId % 65_535) + 1) {
        pinged.push(performance.now())
        peer.socket.write(encode({ type: 'pingreq' }, 4))
        // Where the disk is full none comes back: what waits is held, and what is behind it read.
        if (published.length - this.pubacks.length < 10) {
          published.push(performance.now())
          peer.send({ type: 'publish', ...message, packetId })
        }
        await sleep(everyMs)
      }
      peer.socket.destroy()
    }
    this.working = work()
  }

  async end() {
    this.#isOver = true
    await this.working
  }
}

/** @param {Case} wanted @param {string} folder */
async function play({ load, limits = {}, isFull = false, isBefore = false }, folder) {
  const disk = isFull ? new LoopDisk(join(folder, 'image'), join(folder, 'disk'), 64 * 2 ** 20) : undefined
  const data = join(folder, disk ? 'disk/data' : 'data')
  mkdirSync(data, { recursive: true })
  const fortress = new Fortress(data, limits)
  let broker = await fortress.start()
  const begun = performance.now()
  const worker = new Worker(new URL('./siege-load.mjs', import.meta.url), { workerData: { port: fortress.port, load } })
  try {
    if (isBefore) {
      await once(worker, 'exit')
      broker.child.kill('SIGKILL')
      await broker.ended
      await sleep(begun + (overdueSeconds + 1) * 1_000 - performance.now()) // and they are overdue
      broker = await fortress.start()
    } else await once(worker, 'message') // it is connected
    const before = usageOf(broker.pid).memoryBytes
    const bystander = new Bystander()
    await bystander.begin(fortress.port ?? 0)
    disk?.fill()
    worker.postMessage('begin')
    let most = 0
    const look = setInterval(() => {
      most = Math.max(most, usageOf(broker.pid).memoryBytes)
    }, 50)
    await sleep(seconds * 1_000)
    worker.postMessage('end')
    clearInterval(look)
    await bystander.end()
    return { puback: told(bystander.pubacks), ping: told(bystander.pings), before, most }
  } finally {
    await worker.terminate()
    await broker.stop()
    disk?.remove()
  }
}

const refusal = LoopDisk.refusal()
console.log(
  '| meanwhile | PUBACK, p50 / p99 / worst, ms | PINGRESP, ms | memory before, and at most, MiB |\n|---|---|---|---|',
)
for (const [name, wanted] of Object.entries(cases)) {
  if (!name.includes(values.case)) continue
  if (wanted.isFull && refusal !== undefined) {
    console.log(`| ${name} | not played: ${refusal} | | |`)
    continue
  }
  const folder = mkdtempSync(join(tmpdir(), 'godwit-siege-'))
  try {
    const { puback, ping, before, most } = await play(wanted, folder)
    console.log(`| ${name} | ${puback.words} | ${ping.words} | ${mib(before)}, ${mib(most)} |`)
    const isSlow = puback.p99 >= mostWaitMs && !wanted.isFull
    const isLarge = !wanted.isBefore && most - before > mostGrowth // what a start reads is no client's doing
    if (isSlow) console.log(`  PUBACK takes ${puback.p99.toFixed(0)} ms at p99, asked are ${mostWaitMs}`)
    if (isLarge) console.log(`  memory grew by ${mib(most - before)} MiB, asked are ${mib(mostGrowth)}`)
    if (isSlow || isLarge) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
