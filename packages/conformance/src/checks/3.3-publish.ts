import { matchesFilter, type QoS } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import { field, packetBytes, u16 } from '../raw-packets.js'
import { closes } from './violations.js'

const payload = Uint8Array.of(0x78)

/** A message the subscriber has not acknowledged comes again on the next connection, with DUP. */
const comesAgain =
  (qos: QoS): Dialogue =>
  async (t) => {
    const clientId = t.clientId('s')
    const first = await t.subscriber(t.topic('a'), qos, { clientId, cleanStart: false })
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'x', { qos })
    const { packetId } = await first.expectPublish({ payload: 'x', qos, dup: false })
    await first.drop()
    const second = await t.connect({ clientId, cleanStart: false })
    await second.receive({ payload: 'x', qos, dup: true, packetId })
  }

export const publishChecks: readonly Check[] = [
  check('MQTT-3.3.1-1', { 'QoS 1': comesAgain(1), 'QoS 2': comesAgain(2) }),

  check('MQTT-3.3.1-2', async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 0)
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'at QoS 0', { qos: 0 })
    await subscriber.expectPublish({ payload: 'at QoS 0', qos: 0, dup: false })
    await publisher.publish(t.topic('a'), 'repeated at QoS 1', { qos: 1, dup: true })
    await subscriber.expectPublish({ payload: 'repeated at QoS 1', qos: 0, dup: false })
  }),

  check('MQTT-3.3.1-3', async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 2)
    const publisher = await t.connect()
    for (const qos of [1, 2] as const) {
      await publisher.publish(t.topic('a'), `QoS ${qos}`, { qos, dup: true })
      await subscriber.receive({ payload: `QoS ${qos}`, qos, dup: false })
    }
  }),

  check('MQTT-3.3.1-4', {
    'QoS 3': closes(packetBytes(0x36, field('a'), u16(1), payload)),
    'QoS 3 with DUP and RETAIN': closes(packetBytes(0x3f, field('a'), u16(1), payload)),
  }),

  check('MQTT-3.3.2-1', {
    'what the server sends': async (t) => {
      const topic = t.topic('größe/温度')
      const subscriber = await t.subscriber(topic)
      const publisher = await t.connect()
      await publisher.publish(topic, 'x')
      await subscriber.expectPublish({ topic, payload: 'x' })
    },
    'no topic name': closes(packetBytes(0x30)),
    'half a length': closes(packetBytes(0x30, Uint8Array.of(0))),
    'longer than the packet': closes(packetBytes(0x30, u16(32), payload)),
    'an ill-formed topic name': closes(packetBytes(0x30, field(Uint8Array.of(0x61, 0xff)), payload)),
  }),

  check('MQTT-3.3.2-2', {
    '#': closes(packetBytes(0x30, field('#'), payload)),
    '# in a level of its own': closes(packetBytes(0x30, field('a/#'), payload)),
    '+': closes(packetBytes(0x30, field('a/+/b'), payload)),
    '# within a level': closes(packetBytes(0x30, field('a#b'), payload)),
    // A message that was sent to a wildcard must come under the topic it has, not under the filter.
    'what the server sends': async (t) => {
      const subscriber = await t.subscriber(t.topic('+/b'))
      const publisher = await t.connect()
      await publisher.publish(t.topic('a/b'), 'x')
      const { topic } = await subscriber.expectPublish({ payload: 'x' })
      if (/[+#]/.test(topic)) throw new CheckFailure('a topic name without wildcards', `came ${topic}`)
    },
  }),

  // The standard lets a server change the topic name as long as it still matches.
  check('MQTT-3.3.2-3', async (t) => {
    const publisher = await t.connect()
    for (const filter of ['a/b', 'a/+', '+/b', '#', 'a/b/#', '+/+']) {
      const subscriber = await t.subscriber(t.topic(filter))
      await publisher.publish(t.topic('a/b'), filter)
      const { topic } = await subscriber.expectPublish({ payload: filter })
      if (!matchesFilter(t.topic(filter), topic))
        throw new CheckFailure(`a topic that matches ${filter}`, `came ${topic}`)
    }
  }),

  check('MQTT-3.3.4-1', {
    'QoS 0: nothing': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 0 })
      await c.expectNothing()
    },
    'QoS 1: PUBACK': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 1, packetId: 7 })
      await c.expectHex('40 02 0007')
      await c.expectNothing()
    },
    'QoS 2: PUBREC': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
      await c.expectHex('50 02 0007')
      await c.expectNothing()
    },
    'QoS 2 with DUP: PUBREC': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7, dup: true })
      await c.expectHex('50 02 0007')
      await c.expectNothing()
    },
  }),

  // One copy or one for each filter; among them one at the highest QoS.
  check('MQTT-3.3.5-1', {
    '2, 1, 0': overlapping([2, 1, 0]),
    '0, 1, 2': overlapping([0, 1, 2]),
    '1, 2, 0': overlapping([1, 2, 0]),
  }),

  // Whether a server lets a client publish to $SYS is its own matter: only the two reactions are allowed.
  check('MQTT-3.3.5-2', {
    'QoS 1': async (t) => {
      const c = await t.connect()
      c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 1, packetId: 7 })
      if ((await c.arrived('puback')).length === 0) await c.expectClosed()
    },
    'QoS 2': async (t) => {
      const c = await t.connect()
      c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 2, packetId: 7 })
      if ((await c.arrived('pubrec')).length === 0) await c.expectClosed()
    },
  }),
]

function overlapping(asked: readonly [QoS, QoS, QoS]): Dialogue {
  return async (t) => {
    const [whole, level, exact] = asked
    const subscriber = await t.connect()
    const highest = Math.max(
      await t.granted(subscriber, t.topic('#'), whole),
      await t.granted(subscriber, t.topic('+'), level),
      await t.granted(subscriber, t.topic('a'), exact),
    )
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'x', { qos: 2 })
    const came = (await subscriber.arrived('publish')).map(({ qos }) => qos)
    if (came.some((qos) => qos === highest)) return
    throw new CheckFailure(`a copy at QoS ${highest}`, `came copies at QoS ${came.join(', ') || 'none'}`)
  }
}
