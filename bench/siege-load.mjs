// What siege.mjs besieges a broker with, in a thread of its own. It tells once when it is connected, begins when it is told, and ends
// with its thread.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Peer } from './peer.mjs'

/**
 * @typedef {{ type: 'subscriptions' } | { type: 'wills', devices: number } | { type: 'properties', retain: boolean }
 *   | { type: 'sessions', sessions: number, seconds: number }} Siege
 */

const { port, load } = /** @type {{ port: number, load: Siege }} */ (workerData)

async function begin() {
  const told = once(/** @type {NonNullable<typeof parentPort>} */ (parentPort), 'message')
  parentPort?.postMessage('connected')
  await told
}

/** One connection, as fast as its socket takes it; answers are thrown away. */
async function subscriptions() {
  const peer = new Peer(port, { clientId: 'siege', clean: false })
  await peer.next('connack')
  peer.onPacket = () => {}
  await begin()
  for (let n = 0; ; n++) {
    const filter = `siege/${n % 5_000}/${'x'.repeat(100)}`
    const packetId = (n % 65_535) + 1
    peer.send({ type: 'subscribe', packetId, subscriptions: [{ filter, qos: 1 }] })
    if (!peer.send({ type: 'unsubscribe', packetId, filters: [filter] })) await peer.drained()
    if (peer.socket.destroyed) await sleep(1_000_000) // it was closed: that is an answer too
    if (n % 100 === 0) await sleep(0)
  }
}

/** Each connects with its will, and is gone without a word. @param {Siege & { type: 'wills' }} wanted */
async function wills({ devices }) {
  await begin()
  const payload = new Uint8Array(50_000).fill(0x78)
  const device = async (/** @type {number} */ n) => {
    for (;;) {
      const will = { topic: `siege/${n}`, payload, qos: /** @type {const} */ (1), retain: true }
      const peer = new Peer(port, { clientId: `device-${n}`, clean: false, more: { will } })
      await Promise.race([peer.next('connack'), peer.closed, sleep(2_000)])
      peer.socket.destroy()
      await sleep(5)
    }
  }
  await Promise.all(Array.from({ length: devices }, (_, n) => device(n)))
}

/** @param {Siege & { type: 'properties' }} wanted */
async function properties({ retain }) {
  const sleeper = new Peer(port, {
    clientId: 'sleeper',
    version: 5,
    clean: false,
    more: { properties: { sessionExpiryInterval: 3_600 } },
  })
  await sleeper.next('connack')
  sleeper.subscribe(['siege/#'], 1)
  await sleeper.next('suback')
  await sleeper.end()
  await begin()
  const value = 'x'.repeat(65_000)
  const userProperties = Array.from({ length: 15 }, (_, n) => /** @type {const} */ ([`key-${n}`, value]))
  const payload = new Uint8Array(1)
  for (let n = 0; ; ) {
    const peer = new Peer(port, { clientId: 'siege', version: 5 })
    await Promise.race([peer.next('connack'), peer.closed])
    peer.onPacket = () => {}
    while (!peer.socket.destroyed) {
      const topic = `siege/${n++ % 1_000}`
      const message = {
        topic,
        payload,
        qos: /** @type {const} */ (1),
        retain,
        dup: false,
        properties: { userProperties },
      }
      if (!peer.send({ type: 'publish', ...message, packetId: (n % 65_535) + 1 })) await peer.drained()
    }
    await sleep(10)
  }
}

/** So many that all end when these seconds are over. @param {Siege & { type: 'sessions' }} wanted */
async function overdue({ sessions, seconds }) {
  const end = performance.now() + seconds * 1_000
  let next = 0
  const one = async () => {
    while (next < sessions) {
      const clientId = `session-${next++}`
      const peer = new Peer(port, {
        clientId,
        version: 5,
        clean: false,
        more: { properties: { sessionExpiryInterval: 600 } },
      })
      await peer.next('connack')
      peer.subscribe([`s/${clientId}/a`, `s/${clientId}/b`], 1)
      await peer.next('suback')
      const sessionExpiryInterval = Math.max(1, Math.floor((end - performance.now()) / 1_000))
      peer.send({ type: 'disconnect', properties: { sessionExpiryInterval } })
      peer.socket.end()
      await peer.closed
    }
  }
  await Promise.all(Array.from({ length: 100 }, one))
}

if (load.type === 'subscriptions') await subscriptions()
else if (load.type === 'wills') await wills(load)
else if (load.type === 'properties') await properties(load)
else {
  await overdue(load)
  process.exit()
}
