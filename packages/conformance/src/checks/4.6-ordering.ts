import type { PacketOf, QoS } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import type { Peer } from '../peer.js'
import { decodeUtf8 } from '../text.js'
import type { Trial } from '../trial.js'
import { expectInOrder } from './expectations.js'

const packetIds: readonly number[] = [700, 3, 65535, 1, 42, 2, 999, 256]

export const orderingChecks: readonly Check[] = [
  // The server's window decides how many come before the first is acknowledged: those must come again, in that order.
  check('MQTT-4.6.0-1', async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const first = await t.subscriber(t.topic('a'), 2, session)
    const publisher = await t.connect()
    for (let i = 0; i < 10; i++) await publisher.publish(t.topic('a'), `${i}`, { qos: i % 3 === 0 ? 2 : 1 })
    const sent = await first.arrived('publish')
    await first.drop()
    const second = await t.connect(session)
    const again: PacketOf<'publish'>[] = []
    for (const _ of sent) again.push(await second.expectPublish())
    expectInOrder(again.map(inWords), sent.map(inWords))
  }),

  check('MQTT-4.6.0-2', async (t) => {
    const c = await t.connect()
    c.send(...packetIds.map((packetId) => c.publishPacket(t.topic('a'), 'x', { qos: 1, packetId })))
    for (const packetId of packetIds) await c.expect('puback', { packetId })
  }),

  check('MQTT-4.6.0-3', async (t) => {
    const c = await t.connect()
    c.send(...packetIds.map((packetId) => c.publishPacket(t.topic('a'), 'x', { qos: 2, packetId })))
    for (const packetId of packetIds) await c.expect('pubrec', { packetId })
    for (const packetId of packetIds) c.send({ type: 'pubrel', packetId })
    for (const _ of packetIds) await c.expect('pubcomp')
  }),

  check('MQTT-4.6.0-4', async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 2)
    const publisher = await t.connect()
    for (let i = 0; i < 6; i++) await publisher.publish(t.topic('a'), `${i}`, { qos: 2 })
    const ids = (await subscriber.arrived('publish')).map(({ packetId = 0 }) => packetId)
    subscriber.send(...ids.map((packetId) => ({ type: 'pubrec', packetId }) as const))
    for (const packetId of ids) await subscriber.expect('pubrel', { packetId })
    for (const packetId of ids) subscriber.send({ type: 'pubcomp', packetId })
  }),

  check('MQTT-4.6.0-5', {
    'a short topic': async (t) => inOrder(t, [t.topic('a')]),
    'a deep topic': async (t) => inOrder(t, [t.topic('a/b/c/d/e/f/g')]),
    'several at once': async (t) => inOrder(t, [t.topic('x'), t.topic('y'), t.topic('z')]),
  }),

  check('MQTT-4.6.0-6', {
    'QoS 0': fromEachPublisher(0),
    'QoS 1': fromEachPublisher(1),
    'QoS 2': fromEachPublisher(2),
  }),
]

function inWords({ packetId, payload, qos }: PacketOf<'publish'>): string {
  return `${decodeUtf8(payload)} at QoS ${qos} with id ${packetId}`
}

/** Messages of each topic come in the order they were published; between topics any order will do. */
async function inOrder(t: Trial, topics: readonly string[]): Promise<void> {
  const subscriber = await t.connect()
  for (const topic of topics) await subscriber.subscribe(topic, 1)
  const publisher = await t.connect()
  const payloads = Array.from({ length: 15 }, (_, i) => `${i}`)
  publisher.send(
    ...payloads.flatMap((payload) => topics.map((topic) => publisher.publishPacket(topic, payload, { qos: 1 }))),
  )
  const received = await take(subscriber, payloads.length * topics.length)
  for (const topic of topics) {
    expectInOrder(
      received.flatMap((publish) => (publish.topic === topic ? [decodeUtf8(publish.payload)] : [])),
      payloads,
    )
  }
}

/** Two publishers, two subscribers: what one publisher sent comes in its order, however the two are mixed. */
function fromEachPublisher(qos: QoS): Dialogue {
  return async (t) => {
    const topic = t.topic('a')
    const subscribers = [await t.subscriber(topic, qos), await t.subscriber(t.topic('+'), qos)]
    const publishers = { a: await t.connect(), b: await t.connect() }
    const numbers = Array.from({ length: 15 }, (_, i) => i)
    for (const i of numbers) {
      for (const [name, publisher] of Object.entries(publishers)) publisher.sendPublish(topic, `${name}${i}`, { qos })
    }
    if (qos === 2) {
      for (const publisher of Object.values(publishers)) {
        for (const _ of numbers) {
          const { packetId } = await publisher.expect('pubrec')
          publisher.send({ type: 'pubrel', packetId })
        }
      }
    }
    for (const subscriber of subscribers) {
      const received = (await take(subscriber, 2 * numbers.length)).map(({ payload }) => decodeUtf8(payload))
      for (const name of Object.keys(publishers)) {
        expectInOrder(
          received.filter((text) => text.startsWith(name)),
          numbers.map((i) => `${name}${i}`),
        )
      }
    }
  }
}

async function take(subscriber: Peer, count: number): Promise<PacketOf<'publish'>[]> {
  const received: PacketOf<'publish'>[] = []
  for (let i = 0; i < count; i++) received.push(await subscriber.receive())
  return received
}
