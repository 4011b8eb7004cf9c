import { encode } from '@godwit/protocol'
import type { Check, Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'
import { concat, fromHex } from '../raw-packets.js'
import { decodeUtf8 } from '../text.js'
import type { Trial } from '../trial.js'
import { expectSessionPresent } from './expectations.js'
import { type HostileInput, hostileBytes } from './hostile-bytes.js'

/** The longest a server may leave a connection open that has not said CONNECT. */
const connectTimeoutMs = 35_000

/** What servers must bear: wrong bytes, wrong moments, and too much. Not statements of the standard, but its spirit. */
export const hostileChecks: readonly Check[] = [
  ...hostileBytes.map((input) => hostile(input.name, input.accept.join(' or '), (t) => playBytes(t, input))),

  hostile('zero-bytes-then-idle', 'closed when the time to connect is over', async (t) => {
    const c = await t.open()
    await c.expectClosed({ withinMs: connectTimeoutMs })
  }),

  hostile('slowloris-connect', 'closed when the time to connect is over, whatever trickles in', async (t) => {
    const c = await t.open()
    const connect = encode(t.connectPacket({ clientId: t.clientId('slow') }), t.version)
    const stepMs = 5000
    for (let i = 0; i * stepMs < connectTimeoutMs && !c.isClosed; i++) {
      c.sendBytes(connect.subarray(i, i + 1))
      await t.sleep(stepMs)
    }
    await c.expectClosed()
  }),

  hostile('random-4k', 'closed', async (t) => {
    const c = await t.open()
    c.sendBytes(Uint8Array.from({ length: 4096 }, (_, i) => (i * 197 + (i >> 3) * 31 + 0x61) & 255))
    await c.expectClosed()
  }),

  hostile('varint-never-ends', 'closed', async (t) => {
    const c = await t.open()
    c.sendHex(`10${'80'.repeat(64)}`)
    await c.expectClosed()
  }),

  hostile('connect-truncated-then-fin', 'the connection ends; no session is made', async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const c = await t.open()
    c.sendBytes(encode(t.connectPacket(session), t.version).subarray(0, 8))
    c.halfClose()
    await c.expectClosed()
    expectSessionPresent(await t.connect(session), false)
  }),

  hostile('connect-then-garbage-same-write', 'CONNACK 0, then closed', async (t) => {
    const c = await t.open()
    c.sendBytes(concat(encode(t.connectPacket(), t.version), fromHex('0000')))
    await c.expectHex('20020000')
    await c.expectClosed()
  }),

  hostile('packet-split-in-varint', 'CONNACK 0; the rest is waited for', async (t) => {
    const c = await t.open()
    c.sendBytes(concat(encode(t.connectPacket(), t.version), fromHex('c0')))
    await c.expectHex('20020000')
    await c.expectNothing()
    c.sendHex('00')
    await c.expectHex('d000')
  }),

  hostile('connect-clientid-65535', 'CONNACK 0, or CONNACK 2 and closed', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ clientId: t.clientId().padEnd(65535, 'c') }))
    const { bytes } = await c.next('CONNACK')
    if (bytes[3] === 0) return c.expectOpen()
    if (bytes[3] !== 2) throw new CheckFailure('return code 0 or 2', `came ${bytes[3]}`)
    await c.expectClosed()
  }),

  hostile('flood-pingreq-10000', '10,000 PINGRESPs', async (t) => {
    const c = await t.connect()
    const count = 10_000
    c.sendHex('c000'.repeat(count))
    for (let i = 0; i < count; i++) await c.expect('pingresp')
    await c.expectNothing()
  }),

  hostile('publish-qos0-dup', 'closed, or accepted', async (t) => {
    const c = await t.connect()
    const publish = encode(c.publishPacket(t.topic('a'), 'x'), t.version)
    publish[0] = 0x38
    c.sendBytes(publish)
    await closedOrOpen(t, c)
  }),

  hostile('publish-topic-bom', 'accepted; U+FEFF stays part of the topic', async (t) => {
    const topic = `\ufeff${t.topic('a')}`
    const marked = await t.subscriber(topic)
    const plain = await t.subscriber(t.topic('a'))
    const c = await t.connect()
    c.sendPublish(topic, 'x')
    await marked.expectPublish({ topic, payload: 'x' })
    await plain.expectNothing()
  }),

  hostile('publish-65535-slashes', 'closed, or accepted; others are served', async (t) => {
    const other = await t.subscriber(t.topic('#'))
    const c = await t.connect()
    c.sendPublish('/'.repeat(65535), 'x')
    await closedOrOpen(t, c)
    await other.expectOpen()
  }),

  hostile('publish-sys-topic', 'PUBACK, or closed; $SYS is unchanged', async (t) => {
    const c = await t.connect()
    c.sendPublish('$SYS/broker/version', 'evil', { qos: 1, retain: true, packetId: 1 })
    t.retained.delete('$SYS/broker/version')
    if ((await c.arrived('puback')).length === 0) await c.expectClosed()
    const watcher = await t.subscriber('$SYS/broker/version')
    const evil = (await watcher.arrived('publish')).some(({ payload }) => decodeUtf8(payload) === 'evil')
    if (evil) throw new CheckFailure('$SYS/broker/version as the server wrote it', 'it is what the client wrote')
  }),

  hostile('publish-oversize-2MiB', 'accepted, or closed', async (t) => {
    const other = await t.connect()
    const c = await t.connect()
    // As bytes: it may be more than the server has said it takes.
    c.sendBytes(encode(c.publishPacket(t.topic('a'), new Uint8Array(2 * 1024 * 1024)), t.version))
    await closedOrOpen(t, c)
    await other.expectOpen()
  }),

  hostile('subscribe-10000-filters', 'SUBACK with 10,000 codes, or closed', async (t) => {
    const count = 10_000
    const c = await t.connect()
    const subscriptions = Array.from({ length: count }, (_, i) => ({ filter: t.topic(`f/${i}`), qos: 0 as const }))
    c.send({ type: 'subscribe', packetId: 1, subscriptions })
    await t.settled()
    if (c.isClosed) return
    const { reasonCodes } = await c.expect('suback', { packetId: 1 })
    if (reasonCodes.length !== count) throw new CheckFailure(`${count} codes`, `came ${reasonCodes.length}`)
    await c.expectOpen()
  }),

  hostile('reconnect-storm', 'each take-over closes the older connection; one session is left', async (t) => {
    const session = { clientId: t.clientId('storm'), cleanStart: false }
    const count = t.scaled(1000)
    let last = await t.subscriber(t.topic('a'), 1, session)
    for (let i = 1; i < count; i++) {
      const next = await t.connect(session)
      expectSessionPresent(next, true)
      await last.expectClosed()
      last = next
    }
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'once', { qos: 1 })
    await last.receive({ payload: 'once' })
    await last.expectNothing()
  }),

  hostile('takeover-with-will', 'the older connection is closed, its will published once', async (t) => {
    const clientId = t.clientId('same')
    const watcher = await t.subscriber(t.topic('will'), 1)
    const older = await t.connect({ clientId, will: { topic: t.topic('will'), payload: 'gone', qos: 1 } })
    const newer = await t.connect({ clientId })
    await older.expectClosed()
    await watcher.receive({ payload: 'gone' })
    await newer.drop()
    await watcher.expectNothing()
  }),

  hostile('half-close', 'the server closes too; the will is published', async (t) => {
    const watcher = await t.subscriber(t.topic('will'), 1)
    const c = await t.open()
    c.send(t.connectPacket({ will: { topic: t.topic('will'), payload: 'gone', qos: 1 } }))
    c.halfClose()
    await watcher.receive({ payload: 'gone' })
    await c.arrived('connack')
    await c.expectClosed()
  }),

  hostile('rst-mid-publish', 'the message is not published; the will is', async (t) => {
    const watcher = await t.subscriber(t.topic('#'), 1)
    const c = await t.connect({ will: { topic: t.topic('will'), payload: 'gone', qos: 1 } })
    const publish = encode(c.publishPacket(t.topic('a'), 'never whole', { qos: 1 }), t.version)
    c.sendBytes(publish.subarray(0, publish.length - 4))
    await c.drop()
    await watcher.receive({ topic: t.topic('will'), payload: 'gone' })
    await watcher.expectNothing()
  }),

  hostile('subscription-flood', 'a limit (SUBACK 0x80, or closed), or linear memory; others are served', async (t) => {
    const c = await t.connect()
    const [count, together] = [t.scaled(1_000_000), 500]
    for (let i = 0; i < count && !c.isClosed; i += together) {
      const size = Math.min(together, count - i)
      const subscriptions = Array.from({ length: size }, (_, j) => ({ filter: t.topic(`f/${i + j}`), qos: 0 as const }))
      const packetId = ((i / together) % 65535) + 1
      c.send({ type: 'subscribe', packetId, subscriptions })
      await c.expect('suback', { packetId }).catch(ifOpen(c))
    }
    const other = await t.connect()
    await other.expectOpen()
  }),

  hostile('client-id-flood', 'sessions are limited or expire; others are served', async (t) => {
    const [count, together] = [t.scaled(100_000), 50]
    for (let i = 0; i < count; i += together) {
      const size = Math.min(together, count - i)
      await Promise.all(Array.from({ length: size }, (_, j) => connectOnce(t, t.clientId(`f${i + j}`))))
    }
    const other = await t.connect()
    await other.expectOpen()
  }),

  hostile('keepalive-65535', 'accepted; no timer runs over', async (t) => {
    const c = await t.connect({ keepAliveSeconds: 65535 })
    await t.sleep(3000)
    await c.expectOpen()
  }),

  ...['ws-text-frame', 'ws-fragmented', 'ws-huge-frame-header'].map((name) => ({
    ...hostile(name, 'needs a WebSocket', async () => {}),
    cases: [],
    skip: 'needs a WebSocket target',
  })),
]

function hostile(name: string, text: string, run: Dialogue): Check {
  return { id: `hostile/${name}`, version: '3.1.1', section: 'hostile', text, cases: [{ name: '', run }] }
}

async function playBytes(t: Trial, { after, hex, accept }: HostileInput): Promise<void> {
  const c = after === 'connect' ? await t.connect() : await t.open()
  c.sendHex(hex)
  if (accept.includes('refused')) return c.expectRefused()
  if (accept.includes('closed late')) return c.expectClosed({ withinMs: connectTimeoutMs })
  if (accept.length === 1 && accept[0] === 'closed') return c.expectClosed()
  const reaction = await c.reaction({ toItsEnd: accept.every((one) => one.endsWith('closed')) })
  if (!accept.includes(reaction)) throw new CheckFailure(accept.join(' or '), `came ${reaction}`)
  if (!c.isClosed) await c.expectOpen()
}

/** Either will do, as long as an open connection works. */
async function closedOrOpen(t: Trial, c: Peer): Promise<void> {
  await t.settled()
  if (c.isClosed) return c.expectClosed()
  await c.expectOpen()
}

/** Goes on after a failure if it is that the server has closed the connection. */
function ifOpen(c: Peer): (failure: unknown) => void {
  return (failure) => {
    if (!c.isClosed) throw failure
  }
}

async function connectOnce(t: Trial, clientId: string): Promise<void> {
  const c = await t.open(clientId)
  c.send(t.connectPacket({ clientId, cleanStart: false }))
  await c.next('CONNACK')
  await c.disconnect()
}
