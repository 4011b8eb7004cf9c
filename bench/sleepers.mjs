// What sessions without a connection cost, on disk: memory and the start after SIGKILL, and CPU a message that is kept for one of them,
// and that it is sent when it is back, beside coming back for nothing.
//
//   npm run build && node bench/sleepers.mjs [--sessions 1000] [--messages 100] [--size 1024]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { usageOf } from '../packages/cli/dist/bench/broker-process.js'
import { Background, freePort } from '../scripts/background.mjs'
import { root } from '../scripts/prepare.mjs'
import { Peer } from './peer.mjs'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000' },
    messages: { type: 'string', default: '100' },
    size: { type: 'string', default: '1024' },
  },
})
const [sessions, messages, size] = [Number(values.sessions), Number(values.messages), Number(values.size)]
/** Connections at once, and messages without an acknowledgement. */
const together = 50
const unanswered = 1_000

const folder = mkdtempSync(join(tmpdir(), 'godwit-sleepers-'))
const port = await freePort()
const command = [
  ...[process.execPath, join(root, 'packages/cli/bin/godwit.js'), 'broker', '--port', `${port}`, '--data', folder],
  ...['--http', 'none', '--max-inflight', '65535', '--max-queued', '10000000', '--log-level', 'warn'],
]
const start = () => Background.start(command, { ready: /listening on/, readyMs: 60_000 })

/** @param {string} clientId @param {(packet: import('@godwit/protocol').Packet) => void} onPacket */
const peerOf = (clientId, onPacket) => new Peer(port, { clientId, clean: false, onPacket })

/** Each session once, so many at a time. @param {(clientId: string) => Promise<unknown>} visit */
async function all(visit) {
  let next = 0
  const one = async () => {
    while (next < sessions) await visit(`sleeper-${next++}`)
  }
  await Promise.all(Array.from({ length: together }, one))
}

/** @param {string} clientId */
const begin = (clientId) =>
  new Promise((resolve) => {
    const peer = peerOf(clientId, ({ type }) => {
      if (type === 'connack') {
        peer.subscribe([`s/${clientId}`], 1)
      } else if (type === 'suback') resolve(peer.end())
    })
  })

/** @param {string} clientId */
const drain = (clientId) =>
  new Promise((resolve) => {
    let left = messages
    const peer = peerOf(clientId, ({ type }) => {
      if (type === 'publish' && --left === 0) setImmediate(() => resolve(peer.end())) // behind its acknowledgement
    })
  })

/** @param {string} clientId */
const comeAndGo = (clientId) =>
  new Promise((resolve) => {
    const peer = peerOf(clientId, ({ type }) => type === 'connack' && resolve(peer.end()))
  })

/** A message to each in turn. */
const publish = () =>
  new Promise((resolve) => {
    const total = sessions * messages
    const payload = new Uint8Array(size).fill(120)
    let [sent, answered] = [0, 0]
    const peer = peerOf('publisher', ({ type }) => {
      if (type === 'puback' && ++answered === total) return resolve(peer.end())
      for (; sent < total && sent - answered < unanswered; sent++) {
        const topic = `s/sleeper-${sent % sessions}`
        peer.send({ type: 'publish', topic, payload, qos: 1, retain: false, dup: false, packetId: (sent % 65_535) + 1 })
      }
    })
  })

/**
 * CPU of the broker over this, in µs.
 * @param {Background} broker
 * @param {() => Promise<unknown>} work
 * @param {number} [times] what is divided by; default: messages.
 */
async function cost(broker, work, times = sessions * messages) {
  const before = usageOf(broker.pid).cpuMicros
  await work()
  await delay(1_000)
  return ((usageOf(broker.pid).cpuMicros - before) / times).toFixed(1)
}

/** @param {Background} broker */
const memory = (broker) => `${Math.round(usageOf(broker.pid).memoryBytes / 2 ** 20)} MiB`

let broker = await start()
try {
  console.log(`${sessions} sessions, ${messages} messages of ${size} bytes each; memory is the process's own (RssAnon)`)
  console.log(`nothing yet: ${memory(broker)}`)
  await all(begin)
  console.log(`sessions without messages: ${memory(broker)}`)
  console.log(`kept for them: ${await cost(broker, publish)} µs a message, ${memory(broker)}`)
  broker.child.kill('SIGKILL')
  await broker.ended
  const begun = performance.now()
  broker = await start()
  console.log(`start after SIGKILL: ${((performance.now() - begun) / 1000).toFixed(1)} s, ${memory(broker)}`)
  console.log(`sent to them: ${await cost(broker, () => all(drain))} µs a message, connections included`)
  console.log(`come and gone with nothing waiting: ${await cost(broker, () => all(comeAndGo), sessions)} µs a session`)
} finally {
  await broker.stop()
  rmSync(folder, { recursive: true })
}
