import type { QoS } from '@godwit/protocol'
import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'
import { decodeUtf8 } from '../text.js'
import { expectSame } from './expectations.js'

export const retainChecks: readonly Check[] = [
  check('MQTT-3.3.1-5', async (t) => {
    const publisher = await t.connect()
    for (const qos of [1, 2] satisfies QoS[]) {
      const topic = t.topic(`at-${qos}`)
      await publisher.publish(topic, 'kept', { qos, retain: true })
      const high = await t.subscriber(topic, 2)
      await high.receive({ topic, payload: 'kept', qos, retain: true })
      const low = await t.subscriber(topic, 1)
      await low.receive({ topic, payload: 'kept', qos: 1, retain: true })
    }
  }),

  check('MQTT-3.3.1-6', async (t) => {
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'old', { qos: 1, retain: true })
    for (const name of ['a', 'a/b', 'a/c']) await publisher.publish(t.topic(name), name, { qos: 1, retain: true })
    await publisher.publish(t.topic('other'), 'other', { qos: 1, retain: true })

    // Between topics any order will do.
    const names = { 'a/#': ['a', 'a/b', 'a/c'], 'a/+': ['a/b', 'a/c'], a: ['a'], 'a/b/+': [] }
    for (const [filter, wanted] of Object.entries(names)) {
      const subscriber = await t.subscriber(t.topic(filter), 0)
      const received = await subscriber.arrived('publish')
      expectSame(
        received.map(({ topic, payload }) => `${topic} ${decodeUtf8(payload)}`),
        wanted.map((name) => `${t.topic(name)} ${name}`),
      )
    }
  }),

  // The QoS 0 message may be gone, but the older one may not come back.
  check('MQTT-3.3.1-7', async (t) => {
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'older', { qos: 1, retain: true })
    await publisher.publish(t.topic('a'), 'newer', { qos: 0, retain: true })
    await t.settled()
    const subscriber = await t.subscriber(t.topic('a'), 1)
    for (const { payload, qos } of await subscriber.arrived('publish')) {
      if (decodeUtf8(payload) !== 'newer' || qos !== 0) {
        throw new CheckFailure('"newer" at QoS 0, or nothing', `came "${decodeUtf8(payload)}" at QoS ${qos}`)
      }
    }
  }),

  check('MQTT-3.3.1-8', async (t) => {
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
    for (const filter of ['a', '+', '#']) {
      const subscriber = await t.subscriber(t.topic(filter), 1)
      await subscriber.receive({ payload: 'kept', retain: true })
    }
  }),

  check('MQTT-3.3.1-9', async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 1)
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
    await subscriber.receive({ payload: 'kept', retain: false })
    await publisher.publish(t.topic('a'), 'kept', { qos: 0, retain: true })
    await subscriber.receive({ payload: 'kept', retain: false })
  }),

  check('MQTT-3.3.1-10', async (t) => {
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
    const existing = await t.subscriber(t.topic('a'), 1)
    await existing.receive({ payload: 'kept', retain: true })
    await publisher.publish(t.topic('a'), '', { qos: 1, retain: true })
    await existing.receive({ topic: t.topic('a'), payload: '', retain: false })
    const late = await t.subscriber(t.topic('a'), 1)
    await late.expectNothing()
  }),

  check('MQTT-3.3.1-11', {
    'where nothing was kept': async (t) => {
      const publisher = await t.connect()
      for (const qos of [0, 1, 2] satisfies QoS[]) {
        await publisher.publish(t.topic(`at-${qos}`), '', { qos, retain: true })
      }
      const subscriber = await t.subscriber(t.topic('#'), 1)
      await subscriber.expectNothing()
    },
    'where something was': async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await publisher.publish(t.topic('a'), '', { qos: 1, retain: true })
      const subscriber = await t.subscriber(t.topic('#'), 1)
      await subscriber.expectNothing()
    },
  }),

  check('MQTT-3.3.1-12', {
    'stores nothing': async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'passing', { qos: 1 })
      const subscriber = await t.subscriber(t.topic('a'), 1)
      await subscriber.expectNothing()
    },
    'replaces nothing': async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await publisher.publish(t.topic('a'), 'passing', { qos: 1 })
      const subscriber = await t.subscriber(t.topic('a'), 1)
      await subscriber.receive({ payload: 'kept', retain: true })
      await subscriber.expectNothing()
    },
    'removes nothing': async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await publisher.publish(t.topic('a'), '', { qos: 1 })
      const subscriber = await t.subscriber(t.topic('a'), 1)
      await subscriber.receive({ payload: 'kept', retain: true })
      await subscriber.expectNothing()
    },
  }),
]
