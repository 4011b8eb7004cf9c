// How long another client waits for its PINGRESP while the broker does something long: a message to 1,000 subscribers, a
// retained replay of 100,000 messages, a SUBSCRIBE of 10,000 filters, a search in vain among 200,000 retained topics, 200,000
// retained messages that expire together, members of shared groups that leave with full windows. Each is repeated by a thread of its own
// (fairness-load.mjs) while a ping leaves every 10 ms, whether or not the last one was answered.
//
//   npm run build && node bench/fairness.mjs [--pings 200] [--of godwit|mosquitto|aedes] [--case NAME]
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { encode } from '../packages/protocol/dist/index.js'
import { aedes, godwit, mosquitto, withBroker } from './contestants.mjs'

/** @typedef {import('./fairness-load.mjs').Work} Work */

const pingEveryMs = 10

/** @type {Readonly<Record<string, Work | undefined>>} */
const cases = {
  'nothing else': undefined,
  '1,000 subscribers, 64 B, QoS 0': { type: 'fan-out', subscribers: 1000, bytes: 64, qos: 0 },
  '1,000 subscribers, 64 B, QoS 1': { type: 'fan-out', subscribers: 1000, bytes: 64, qos: 1 },
  '1,000 subscribers, 16 KB, QoS 0': { type: 'fan-out', subscribers: 1000, bytes: 16_384, qos: 0 },
  '1,000 subscribers, 16 KB, QoS 1': { type: 'fan-out', subscribers: 1000, bytes: 16_384, qos: 1 },
  'retained replay of 100,000': { type: 'replay', messages: 100_000 },
  'SUBSCRIBE of 10,000 filters': { type: 'subscribe', filters: 10_000 },
  '100 filters in vain, 200,000 retained': { type: 'search', messages: 200_000, filters: 100 },
  '200,000 retained messages expire': { type: 'expiry', messages: 200_000 },
  'members of a shared group leave': { type: 'hand-over', members: 20, messages: 256 },
}

const { values } = parseArgs({
  options: {
    pings: { type: 'string', default: '200' },
    of: { type: 'string', default: 'godwit' },
    case: { type: 'string', default: '' },
  },
})
const contestant = { godwit: () => godwit('memory'), mosquitto, aedes }[values.of]
if (!contestant) throw new Error(`--of is '${values.of}'; it takes godwit, mosquitto or aedes`)

console.log(`PINGRESP of ${contestant().name} ${contestant().version}, ${values.pings} pings each, in ms:`)
console.log('| meanwhile | rounds | p50 | p99 | max |\n|---|---|---|---|---|')
for (const [name, work] of Object.entries(cases)) {
  if (!name.includes(values.case)) continue
  const { waits, rounds } = await withBroker(contestant(), ({ port }) => measure(port, work))
  const sorted = waits.toSorted(ascending)
  const [p50, p99, max] = [0.5, 0.99, 1].map((part) => (sorted[Math.ceil(sorted.length * part) - 1] ?? 0).toFixed(2))
  console.log(`| ${name} | ${rounds} | ${p50} | ${p99} | ${max} |`)
}

/** @param {number} a @param {number} b */
function ascending(a, b) {
  return a - b
}

/**
 * @param {number} port
 * @param {Work | undefined} work
 */
async function measure(port, work) {
  const load = work && new Worker(new URL('./fairness-load.mjs', import.meta.url), { workerData: { port, work } })
  if (load) await once(load, 'message') // connected, and at work
  const waits = await ping(port, Number(values.pings))
  load?.postMessage('stop')
  const rounds = load ? (await once(load, 'message'))[0] : 0
  await load?.terminate()
  return { waits, rounds }
}

/**
 * @param {number} port
 * @param {number} count
 * @returns {Promise<number[]>} How long each answer took, in milliseconds.
 */
async function ping(port, count) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.write(encode({ type: 'connect', version: 4, clientId: 'pinger', cleanStart: true, keepAliveSeconds: 0 }, 4))
  await once(socket, 'data')
  /** @type {number[]} */
  const sent = []
  /** @type {number[]} */
  const waits = []
  const all = new Promise((resolve, reject) => {
    socket.on('error', reject).on('close', () => reject(new Error('the broker closed the connection')))
    socket.on('data', (chunk) => {
      for (let at = 0; at < chunk.length; at += 2) waits.push(performance.now() - (sent[waits.length] ?? 0))
      if (waits.length === count) resolve(undefined)
    })
  })
  for (let pings = 0; pings < count; pings++) {
    sent.push(performance.now())
    socket.write(encode({ type: 'pingreq' }, 4))
    await sleep(pingEveryMs)
  }
  await all
  socket.destroy()
  return waits
}
