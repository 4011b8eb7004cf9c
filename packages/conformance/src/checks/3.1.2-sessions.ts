import type { PacketOf } from '@godwit/protocol'
import { type Check, check } from '../check.js'
import { expectSame, expectSessionPresent } from './expectations.js'

export const sessionChecks: readonly Check[] = [
  check('MQTT-3.1.2-4', {
    'after DISCONNECT': async (t) => {
      const clientId = t.clientId('kept')
      const first = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      await first.disconnect()
      const second = await t.connect({ clientId, cleanStart: false })
      expectSessionPresent(second, true)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'still subscribed', { qos: 1 })
      await second.receive({ payload: 'still subscribed', qos: 1 })
    },
    'after a lost connection': async (t) => {
      const clientId = t.clientId('kept')
      const first = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      await first.drop()
      const second = await t.connect({ clientId, cleanStart: false })
      expectSessionPresent(second, true)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'still subscribed', { qos: 1 })
      await second.receive({ payload: 'still subscribed', qos: 1 })
    },
  }),

  check('MQTT-3.1.2-5', async (t) => {
    const clientId = t.clientId('away')
    const first = await t.subscriber(t.topic('#'), 2, { clientId, cleanStart: false })
    await first.disconnect()
    const publisher = await t.connect()
    await publisher.publish(t.topic('one'), 'one', { qos: 1 })
    await publisher.publish(t.topic('two'), 'two', { qos: 2 })
    const second = await t.connect({ clientId, cleanStart: false })
    // Two topics: their order is not fixed. A window of one has the second come when the first is acknowledged.
    const received: PacketOf<'publish'>[] = []
    for (let more = await second.arrived('publish'); more.length > 0; more = await second.arrived('publish')) {
      received.push(...more)
      for (const publish of more) await second.acknowledge(publish)
    }
    expectSame(
      received.map(({ topic, qos }) => `${topic} at QoS ${qos}`),
      [`${t.topic('one')} at QoS 1`, `${t.topic('two')} at QoS 2`],
    )
    await second.expectNothing()
  }),

  check('MQTT-3.1.2-6', {
    'an earlier session is thrown away': async (t) => {
      const clientId = t.clientId('s')
      const stored = await t.subscriber(t.topic('a'), 1, { clientId, cleanStart: false })
      await stored.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept for the stored session', { qos: 1 })
      const clean = await t.connect({ clientId })
      expectSessionPresent(clean, false)
      await publisher.publish(t.topic('a'), 'no longer subscribed', { qos: 1 })
      await clean.expectNothing()
    },
    'the clean session ends with its connection': async (t) => {
      const clientId = t.clientId('s')
      const clean = await t.subscriber(t.topic('a'), 1, { clientId })
      await clean.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'while away', { qos: 1 })
      const next = await t.connect({ clientId, cleanStart: false })
      expectSessionPresent(next, false)
      await publisher.publish(t.topic('a'), 'no longer subscribed', { qos: 1 })
      await next.expectNothing()
    },
    'also when the connection is lost': async (t) => {
      const clientId = t.clientId('s')
      const clean = await t.subscriber(t.topic('a'), 1, { clientId })
      await clean.drop()
      const next = await t.connect({ clientId, cleanStart: false })
      expectSessionPresent(next, false)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'no longer subscribed', { qos: 1 })
      await next.expectNothing()
    },
  }),

  check('MQTT-3.1.2-7', async (t) => {
    const clientId = t.clientId('owner')
    const owner = await t.connect({ clientId })
    await owner.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
    await owner.disconnect()
    const again = await t.connect({ clientId })
    await again.disconnect()
    const subscriber = await t.subscriber(t.topic('a'), 1)
    await subscriber.receive({ payload: 'kept', retain: true })
  }),
]
