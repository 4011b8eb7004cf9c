import type { QoS } from '@godwit/protocol'
import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'
import type { Peer } from '../peer.js'
import { field, packetBytes, u16 } from '../raw-packets.js'
import { expectInOrder } from './expectations.js'
import { closes } from './violations.js'

/** A SUBSCRIBE to one filter, whose flags, filter and requested QoS are the caller's. */
const subscribeBytes = (firstByte: number, filter: string | Uint8Array, requested: number): Uint8Array =>
  packetBytes(firstByte, u16(1), field(filter), Uint8Array.of(requested))

const allQoS: readonly QoS[] = [0, 1, 2]

export const subscribeChecks: readonly Check[] = [
  check('MQTT-3.8.1-1', {
    'flags 0000': closes(subscribeBytes(0x80, 'a', 0)),
    'flags 0011': closes(subscribeBytes(0x83, 'a', 0)),
    'flags 1010': closes(subscribeBytes(0x8a, 'a', 0)),
  }),

  check('MQTT-3.8.3-1', { 'ill-formed': closes(subscribeBytes(0x82, Uint8Array.of(0x61, 0xff), 0)) }),

  // Refused, or it works: nothing between.
  check('MQTT-3.8.3-2', async (t) => {
    const publisher = await t.connect()
    for (const filter of ['+', '#', '+/#']) {
      const c = await t.connect()
      const granted = await c.subscribe(t.topic(filter))
      await publisher.publish(t.topic('a'), 'x', { qos: 1 })
      if (granted <= 2) await c.expectPublish({ topic: t.topic('a'), payload: 'x' })
      else await c.expectNothing()
    }
  }),

  check('MQTT-3.8.3-3', {
    'no filter': closes(packetBytes(0x82, u16(1))),
    'a filter without its QoS': closes(packetBytes(0x82, u16(1), field('a'))),
  }),

  check('MQTT-3.8.3-4', {
    'QoS 3': closes(subscribeBytes(0x82, 'a', 3)),
    'the highest bit': closes(subscribeBytes(0x82, 'a', 0x81)),
    'the lowest reserved bit': closes(subscribeBytes(0x82, 'a', 0x04)),
    'all reserved bits': closes(subscribeBytes(0x82, 'a', 0xfc)),
    'in the second of two': closes(
      packetBytes(0x82, u16(1), field('a'), Uint8Array.of(0), field('b'), Uint8Array.of(3)),
    ),
  }),

  check('MQTT-3.8.4-1', async (t) => {
    const c = await t.connect()
    for (let packetId = 1; packetId <= 3; packetId++) {
      c.send({ type: 'subscribe', packetId, subscriptions: [{ filter: t.topic('a'), qos: 1 }] })
      await c.expect('suback')
    }
    await c.expectNothing()
  }),

  check('MQTT-3.8.4-2', async (t) => {
    const c = await t.connect()
    const ids = [5, 4, 0x1234, 65535]
    for (const packetId of ids) {
      c.send({ type: 'subscribe', packetId, subscriptions: [{ filter: t.topic(`a${packetId}`), qos: 0 }] })
      await c.expect('suback', { packetId })
    }
  }),

  check('MQTT-3.8.4-3', {
    'the old one is replaced': async (t) => {
      const c = await t.subscriber(t.topic('a'), 0)
      await c.subscribe(t.topic('a'), 1)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'once', { qos: 1 })
      await c.receive({ payload: 'once', qos: 1 })
      await c.subscribe(t.topic('a'), 0)
      await publisher.publish(t.topic('a'), 'again', { qos: 1 })
      await c.receive({ payload: 'again', qos: 0 })
      await c.expectNothing()
    },
    'retained messages are sent again': async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      const c = await t.subscriber(t.topic('+'), 1)
      await c.receive({ payload: 'kept', retain: true })
      await c.subscribe(t.topic('+'), 1)
      await c.receive({ payload: 'kept', retain: true })
      await c.expectNothing()
    },
    'no message is lost meanwhile': async (t) => {
      const c = await t.subscriber(t.topic('a'), 1)
      const publisher = await t.connect()
      const payloads = Array.from({ length: 20 }, (_, i) => String(i))
      for (const payload of payloads) {
        publisher.sendPublish(t.topic('a'), payload, { qos: 1 })
        await c.subscribe(t.topic('a'), 1)
      }
      for (const payload of payloads) await c.receive({ payload })
      await c.expectNothing()
    },
  }),

  check('MQTT-3.8.4-4', async (t) => {
    const c = await t.subscriber(t.topic('c/#'), 1)
    await expectCodes(c, [
      { filter: t.topic('a'), qos: 1 },
      { filter: t.topic('b/+'), qos: 1 },
      { filter: t.topic('c/#'), qos: 1 },
    ])
    const publisher = await t.connect()
    for (const name of ['a', 'b/x', 'c']) {
      await publisher.publish(t.topic(name), name, { qos: 1 })
      await c.receive({ topic: t.topic(name), payload: name })
    }
    await c.expectNothing()
  }),

  check('MQTT-3.8.4-5', async (t) => {
    const c = await t.connect()
    for (const count of [1, 2, 5, 20]) {
      const filters = Array.from({ length: count }, (_, i) => ({ filter: t.topic(`${count}/${i}`), qos: 0 as const }))
      await expectCodes(c, filters)
    }
    // The same filter twice is two filters.
    await expectCodes(c, [
      { filter: t.topic('twice'), qos: 0 },
      { filter: t.topic('twice'), qos: 1 },
    ])
  }),

  check(
    'MQTT-3.8.4-6',
    Object.fromEntries(
      allQoS.map((requested) => [
        `asking for QoS ${requested}`,
        async (t) => {
          const c = await t.connect()
          const granted = await c.subscribe(t.topic('a'), requested)
          if (granted > requested) throw new CheckFailure(`a grant of at most ${requested}`, `came ${granted}`)
          const publisher = await t.connect()
          for (const qos of allQoS) {
            await publisher.publish(t.topic('a'), `published at ${qos}`, { qos })
            await c.receive({ payload: `published at ${qos}`, qos: Math.min(qos, granted) as QoS })
            if (qos === 1 && granted === 0) await c.arrived('publish') // it may come twice
          }
        },
      ]),
    ),
  ),

  check('MQTT-3.9.3-1', async (t) => {
    const c = await t.connect()
    const single: number[] = []
    for (const qos of allQoS) single.push(await c.subscribe(t.topic(`single/${qos}`), qos))
    if (new Set(single).size === 1) t.skip('the server grants the same QoS whatever is asked for')
    const mixed: readonly QoS[] = [2, 0, 1, 1, 0, 2, 0]
    c.send({
      type: 'subscribe',
      packetId: 99,
      subscriptions: mixed.map((qos, i) => ({ filter: t.topic(`mixed/${i}`), qos })),
    })
    const { reasonCodes } = await c.expect('suback', { packetId: 99 })
    expectInOrder(
      reasonCodes.map(String),
      mixed.map((qos) => String(single[qos])),
    )
  }),

  check('MQTT-3.9.3-2', async (t) => {
    const c = await t.connect()
    const filters = [t.topic('a'), t.topic('+/b'), t.topic('#'), `$SYS/${t.topic('a')}`, `$share/g/${t.topic('a')}`]
    filters.push(t.topic('/'.repeat(50)), t.topic('x'.repeat(5000)))
    for (const filter of filters) {
      for (const qos of allQoS) {
        const granted = await c.subscribe(filter, qos)
        if (![0, 1, 2, 0x80].includes(granted)) {
          throw new CheckFailure('a SUBACK code of 0, 1, 2 or 0x80', `came 0x${granted.toString(16)} for ${filter}`)
        }
      }
    }
  }),
]

/** One SUBACK, with a code for each filter. */
async function expectCodes(c: Peer, subscriptions: readonly { filter: string; qos: QoS }[]): Promise<void> {
  const packetId = c.nextPacketId()
  c.send({ type: 'subscribe', packetId, subscriptions })
  const { reasonCodes } = await c.expect('suback', { packetId })
  const legal = reasonCodes.every((code, i) => code === 0x80 || code <= subscriptions[i]!.qos)
  if (reasonCodes.length !== subscriptions.length || !legal) {
    throw new CheckFailure(`${subscriptions.length} codes, each a QoS up to the one asked for`, `came ${reasonCodes}`)
  }
  if ((await c.arrived('suback')).length > 0) throw new CheckFailure('one SUBACK', 'came another')
}
