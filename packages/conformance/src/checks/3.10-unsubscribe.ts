import { type Check, check } from '../check.js'
import { field, packetBytes, u16 } from '../raw-packets.js'
import { closes } from './violations.js'

export const unsubscribeChecks: readonly Check[] = [
  check('MQTT-3.10.1-1', {
    'flags 0000': closes(packetBytes(0xa0, u16(1), field('a'))),
    'flags 0011': closes(packetBytes(0xa3, u16(1), field('a'))),
    'flags 1010': closes(packetBytes(0xaa, u16(1), field('a'))),
  }),

  check('MQTT-3.10.3-1', {
    'ill-formed': closes(packetBytes(0xa2, u16(1), field(Uint8Array.of(0x61, 0xff)))),
    'longer than the packet': closes(packetBytes(0xa2, u16(1), u16(9), Uint8Array.of(0x61))),
    'a byte between two': closes(packetBytes(0xa2, u16(1), field('a'), Uint8Array.of(0), field('b'))),
  }),

  check('MQTT-3.10.3-2', { 'no filter': closes(packetBytes(0xa2, u16(1))) }),

  check('MQTT-3.10.4-1', async (t) => {
    const c = await t.connect()
    for (const filter of ['a/+', 'a/b', 'A/B', 'a/b/']) await t.granted(c, t.topic(filter))
    const publisher = await t.connect()
    // Each matches something, but is not the same as any filter there is.
    await c.unsubscribe(t.topic('a/#'), t.topic('a/c'), t.topic('a'), t.topic('A/b'), t.topic('a/+/'))
    await publisher.publish(t.topic('a/c'), 'by a/+', { qos: 1 })
    await c.expectPublish({ topic: t.topic('a/c') })
    await publisher.publish(t.topic('A/B'), 'by A/B', { qos: 1 })
    await c.expectPublish({ topic: t.topic('A/B') })
    // The wildcard goes; the plain filter it covers stays.
    await c.unsubscribe(t.topic('a/+'))
    await publisher.publish(t.topic('a/c'), 'by nothing', { qos: 1 })
    await c.expectNothing()
    await publisher.publish(t.topic('a/b'), 'by a/b', { qos: 1 })
    await c.expectPublish({ payload: 'by a/b' })
    await c.unsubscribe(t.topic('a/b'))
    await publisher.publish(t.topic('a/b'), 'by nothing', { qos: 1 })
    await c.expectNothing()
    await publisher.publish(t.topic('a/b/'), 'by a/b/', { qos: 1 })
    await c.expectPublish({ payload: 'by a/b/' })
  }),

  check('MQTT-3.10.4-2', async (t) => {
    const publisher = await t.connect()
    for (const filter of ['a', '+', '#']) {
      const c = await t.subscriber(t.topic(filter), 2)
      await publisher.publish(t.topic('a'), 'before', { qos: 2 })
      await c.receive({ payload: 'before' })
      await c.unsubscribe(t.topic(filter))
      for (const qos of [0, 1, 2] as const) await publisher.publish(t.topic('a'), 'after', { qos })
      await c.expectNothing()
    }
  }),

  check('MQTT-3.10.4-3', {
    'QoS 2': async (t) => {
      const c = await t.subscriber(t.topic('a'), 2)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'begun', { qos: 2 })
      const publish = await c.expectPublish({ payload: 'begun', qos: 2 })
      await c.unsubscribe(t.topic('a'))
      await c.acknowledge(publish)
    },
    'on the next connection': async (t) => {
      const clientId = t.clientId('s')
      const first = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'begun', { qos: 1 })
      const { packetId } = await first.expectPublish({ payload: 'begun', qos: 1 })
      await first.unsubscribe(t.topic('a'))
      await first.drop()
      const second = await t.connect({ clientId, cleanStart: false })
      await second.receive({ payload: 'begun', qos: 1, packetId })
    },
  }),

  check('MQTT-3.10.4-4', async (t) => {
    const c = await t.subscriber(t.topic('a'))
    c.send({ type: 'unsubscribe', packetId: 0x1234, filters: [t.topic('a')] })
    await c.expectHex('b0 02 1234')
  }),

  check('MQTT-3.10.4-5', async (t) => {
    const c = await t.connect()
    c.send({ type: 'unsubscribe', packetId: 9, filters: [t.topic('never')] })
    await c.expectHex('b0 02 0009')
    await c.expectNothing()
  }),

  check('MQTT-3.10.4-6', async (t) => {
    const c = await t.connect()
    for (const filter of ['a', 'b', 'c', 'd']) await c.subscribe(t.topic(filter))
    c.send({ type: 'unsubscribe', packetId: 77, filters: ['a', 'never', 'c', 'd'].map((name) => t.topic(name)) })
    await c.expect('unsuback', { packetId: 77 })
    await c.expectNothing()
    const publisher = await t.connect()
    for (const name of ['a', 'c', 'd', 'b']) await publisher.publish(t.topic(name), name, { qos: 1 })
    await c.expectPublish({ payload: 'b' })
    await c.expectNothing()
  }),
]
