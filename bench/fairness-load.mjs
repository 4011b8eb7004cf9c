// The long work of fairness.mjs, in a thread of its own and on bare sockets: again and again, until told to stop. It says
// once that it has begun, and at the end how often it has done it.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Peer } from './peer.mjs'

/**
 * @typedef {{ type: 'fan-out', subscribers: number, bytes: number, qos: 0 | 1 }
 *   | { type: 'replay', messages: number }
 *   | { type: 'subscribe', filters: number }
 *   | { type: 'search', messages: number, filters: number }
 *   | { type: 'expiry', messages: number }
 *   | { type: 'hand-over', members: number, messages: number }} Work
 */

const { port, work } = /** @type {{ port: number, work: Work }} */ (workerData)
/** Between two rounds: what is to be seen is what one does to others, not what is left of a machine that is full. */
const pauseMs = 10
let stopped = false
parentPort?.on('message', () => {
  stopped = true
})

/** @param {string} clientId @param {4 | 5} [version] */
const peerOf = (clientId, version = 4) => new Peer(port, { clientId, version })

/**
 * Repeats one round until told to stop.
 * @param {() => Promise<void>} round
 */
async function repeat(round) {
  let rounds = 0
  parentPort?.postMessage('begun')
  while (!stopped) {
    await round()
    rounds++
    await sleep(pauseMs)
  }
  parentPort?.postMessage(rounds)
}

/** @param {Work & { type: 'fan-out' }} work */
async function fanOut({ subscribers, bytes, qos }) {
  let missing = 0
  let arrived = () => {}
  for (let at = 0; at < subscribers; at++) {
    const peer = peerOf(`subscriber${at}`)
    await peer.next('connack')
    peer.subscribe(['fan/out'], qos)
    await peer.next('suback')
    peer.onPacket = (packet) => {
      if (packet.type !== 'publish') return
      if (--missing === 0) arrived()
    }
  }
  const publisher = peerOf('publisher')
  await publisher.next('connack')
  const payload = new Uint8Array(bytes).fill(0x78)
  const packetId = qos === 0 ? undefined : 1
  await repeat(async () => {
    const all = new Promise((resolve) => {
      arrived = () => resolve(undefined)
    })
    missing = subscribers
    publisher.send({ type: 'publish', topic: 'fan/out', payload, qos, retain: false, dup: false, packetId })
    await all
  })
}

/** @param {Work & { type: 'replay' }} work */
async function replay({ messages }) {
  const publisher = peerOf('publisher')
  await publisher.next('connack')
  const payload = new Uint8Array(64).fill(0x78)
  for (let at = 0; at < messages; at++) {
    publisher.send({ type: 'publish', topic: `retained/${at}`, payload, qos: 0, retain: true, dup: false })
  }
  publisher.send({ type: 'pingreq' })
  await publisher.next('pingresp') // all of them have been read
  const subscriber = peerOf('subscriber')
  await subscriber.next('connack')
  await repeat(async () => {
    let missing = messages
    const all = new Promise((resolve) => {
      subscriber.onPacket = (packet) => packet.type === 'publish' && --missing === 0 && resolve(undefined)
    })
    subscriber.subscribe(['retained/#'], 0)
    await all
  })
}

/** @param {Work & { type: 'subscribe' }} work */
async function subscribe({ filters }) {
  const all = Array.from(
    { length: filters },
    (_, at) => `plant/${at % 97}/device/${at}/${at % 3 === 0 ? '+' : 'state'}`,
  )
  let clients = 0
  await repeat(async () => {
    const peer = peerOf(`subscriber${clients++}`)
    await peer.next('connack')
    peer.subscribe(all, 1)
    await peer.next('suback')
    void peer.end() // and all of them go again
  })
}

/** @param {Work & { type: 'search' }} work */
async function search({ messages, filters }) {
  await retain(messages, undefined, (at) => `${at}/retained`)
  const all = Array.from({ length: filters }, (_, at) => `+/no${at}`)
  const subscriber = peerOf('subscriber')
  await subscriber.next('connack')
  await repeat(async () => {
    subscriber.subscribe(all, 0)
    await subscriber.next('suback')
    subscriber.subscribe(['0/retained'], 0) // its message comes behind all that is looked for in vain
    await subscriber.next('publish')
  })
}

/** @param {Work & { type: 'expiry' }} work */
async function expiry({ messages }) {
  const round = () => retain(messages, 2, (at) => `retained/${at}`)
  await round()
  await repeat(round)
}

/**
 * @param {number} messages
 * @param {number | undefined} expirySeconds
 * @param {(at: number) => string} topicOf
 */
async function retain(messages, expirySeconds, topicOf) {
  const publisher = peerOf('publisher', 5)
  await publisher.next('connack')
  const payload = new Uint8Array(64).fill(0x78)
  const properties = expirySeconds === undefined ? undefined : { messageExpiryInterval: expirySeconds }
  for (let at = 0; at < messages; at++) {
    const topic = topicOf(at)
    publisher.send({ type: 'publish', topic, payload, qos: 0, retain: true, dup: false, properties })
  }
  publisher.send({ type: 'pingreq' })
  await publisher.next('pingresp') // all of them have been read
  publisher.socket.destroy()
}

/** @param {Work & { type: 'hand-over' }} work */
async function handOver({ members, messages }) {
  const stays = peerOf('stays')
  await stays.next('connack')
  stays.subscribe(['$share/g/shared'], 1)
  await stays.next('suback')
  const publisher = peerOf('publisher')
  await publisher.next('connack')
  const payload = new Uint8Array(64).fill(0x78)
  let clients = 0
  await repeat(async () => {
    /** @type {Peer[]} */
    const leaving = []
    while (leaving.length < members) {
      const member = new Peer(port, { clientId: `member${clients++}`, acknowledges: false })
      await member.next('connack')
      member.subscribe(['$share/g/shared'], 1)
      await member.next('suback')
      leaving.push(member)
    }
    const all = members * messages
    for (let at = 0; at < all; at++) {
      const packetId = (at % 60_000) + 1
      publisher.send({ type: 'publish', topic: 'shared', payload, qos: 1, retain: false, dup: false, packetId })
    }
    let missing = all
    const everything = new Promise((resolve) => {
      stays.onPacket = (packet) => {
        if (packet.type !== 'publish' || packet.packetId === undefined) return
        if (--missing === 0) resolve(undefined)
      }
    })
    publisher.send({ type: 'pingreq' })
    await publisher.next('pingresp')
    for (const { socket } of leaving) socket.destroy() // with all that they were sent
    await everything
  })
}

if (work.type === 'fan-out') await fanOut(work)
else if (work.type === 'replay') await replay(work)
else if (work.type === 'subscribe') await subscribe(work)
else if (work.type === 'search') await search(work)
else if (work.type === 'expiry') await expiry(work)
else await handOver(work)
