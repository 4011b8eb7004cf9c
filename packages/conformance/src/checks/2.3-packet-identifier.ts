import type { QoS } from '@godwit/protocol'
import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'
import { closes } from './violations.js'

export const packetIdentifierChecks: readonly Check[] = [
  check('MQTT-2.3.1-1', {
    'SUBSCRIBE with 0': closes('82 06 0000 0001 61 00'),
    'UNSUBSCRIBE with 0': closes('a2 05 0000 0001 61'),
    'QoS 1 PUBLISH with 0': closes('32 06 0001 61 0000 78'),
    'QoS 2 PUBLISH with 0': closes('34 06 0001 61 0000 78'),
    'highest identifier': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 1, packetId: 65535 })
      await c.expect('puback', { packetId: 65535 })
    },
    // The decoder refuses 0, so that receiving the packet is the proof.
    'what the server sends': async (t) => {
      const topic = t.topic('a')
      const subscriber = await t.subscriber(topic, 2)
      const publisher = await t.connect()
      await publisher.publish(topic, 'one', { qos: 1 })
      await subscriber.receive({ qos: 1, payload: 'one' })
      await publisher.publish(topic, 'two', { qos: 2 })
      await subscriber.receive({ qos: 2, payload: 'two' })
    },
  }),

  // The server's window may be small: whenever nothing more comes, the oldest message is acknowledged.
  check('MQTT-2.3.1-4', async (t) => {
    const topic = t.topic('a')
    const subscriber = await t.subscriber(topic, 2)
    const publisher = await t.connect()
    const count = 8
    for (let i = 0; i < count; i++) await publisher.publish(topic, String(i), { qos: i % 2 === 0 ? 1 : 2 })

    const unacknowledged = new Map<number, Awaited<ReturnType<typeof subscriber.expectPublish>>>()
    for (let received = 0; received < count; ) {
      for (const publish of await subscriber.arrived('publish')) {
        const packetId = publish.packetId ?? 0
        if (unacknowledged.has(packetId)) {
          throw new CheckFailure('an identifier that is not in use', `came ${packetId} for a second message`)
        }
        unacknowledged.set(packetId, publish)
        received++
      }
      const [oldest] = unacknowledged.values()
      if (!oldest) throw new CheckFailure(`${count} messages`, `came ${received}`)
      if (received === count) break
      await subscriber.acknowledge(oldest)
      unacknowledged.delete(oldest.packetId ?? 0)
    }
  }),

  // A QoS 0 PUBLISH with an identifier would have it in front of the payload.
  check('MQTT-2.3.1-5', {
    'with nothing else under way': async (t) => {
      const topic = t.topic('a')
      const subscriber = await t.subscriber(topic, 0)
      const publisher = await t.connect()
      for (const qos of [0, 1, 2] satisfies QoS[]) {
        await publisher.publish(topic, `payload ${qos}`, { qos })
        await subscriber.expectPublish({ topic, qos: 0, payload: `payload ${qos}` })
      }
    },
    'beside one that has an identifier': async (t) => {
      const [topic, other] = [t.topic('a'), t.topic('b')]
      const subscriber = await t.subscriber(topic, 0)
      await subscriber.subscribe(other, 1)
      const publisher = await t.connect()
      await publisher.publish(other, 'under way', { qos: 1 })
      const first = await subscriber.expectPublish({ topic: other, payload: 'under way' })
      for (const qos of [0, 1, 2] satisfies QoS[]) {
        await publisher.publish(topic, `payload ${qos}`, { qos })
        await subscriber.expectPublish({ topic, qos: 0, payload: `payload ${qos}` })
      }
      await subscriber.acknowledge(first)
    },
  }),

  check('MQTT-2.3.1-6', async (t) => {
    const topic = t.topic('a')
    const c = await t.connect()
    c.sendPublish(topic, 'x', { qos: 1, packetId: 0x1234 })
    await c.expect('puback', { packetId: 0x1234 })
    c.sendPublish(topic, 'x', { qos: 2, packetId: 0xfedc })
    await c.expect('pubrec', { packetId: 0xfedc })
    c.send({ type: 'pubrel', packetId: 0xfedc })
    await c.expect('pubcomp', { packetId: 0xfedc })

    const subscriber = await t.subscriber(topic, 2)
    await c.publish(topic, 'y', { qos: 2 })
    const { packetId = 0 } = await subscriber.expectPublish({ qos: 2 })
    subscriber.send({ type: 'pubrec', packetId })
    await subscriber.expect('pubrel', { packetId })
    subscriber.send({ type: 'pubcomp', packetId })
  }),

  check('MQTT-2.3.1-7', async (t) => {
    const filter = t.topic('a')
    const c = await t.connect()
    for (const packetId of [1, 0x0100, 0xabcd, 0xffff]) {
      c.send({ type: 'subscribe', packetId, subscriptions: [{ filter, qos: 0 }] })
      await c.expect('suback', { packetId })
      c.send({ type: 'unsubscribe', packetId, filters: [filter] })
      await c.expect('unsuback', { packetId })
    }
  }),
]
