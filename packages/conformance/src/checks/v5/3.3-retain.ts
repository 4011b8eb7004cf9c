import type { Subscription } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import type { Peer } from '../../peer.js'
import { needing } from './offer.js'

const needs = { qos: 1, retain: true } as const

export const retainChecks50: readonly Check[] = [
  check50('MQTT-3.3.1-10', {
    'a subscription that is new': needing(needs, async (t) => {
      const c = await t.connect()
      await c.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 1 })
      await c.receive({ payload: 'kept', retain: true })
    }),
    'a subscription there is': needing(needs, async (t) => {
      const c = await t.connect()
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 1 })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await c.receive({ payload: 'kept', retain: false })
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 1 })
      await c.expectNothing()
    }),
    'a subscription there was': needing(needs, async (t) => {
      const c = await t.connect()
      await c.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 2 })
      await c.unsubscribe(t.topic('a'))
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 1 })
      await c.receive({ payload: 'kept', retain: true })
    }),
  }),

  check50(
    'MQTT-3.3.1-11',
    needing(needs, async (t) => {
      const c = await t.connect()
      await c.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      for (let i = 0; i < 2; i++) {
        await subscribe(c, { filter: t.topic('a'), qos: 0, retainHandling: 2 })
        await c.expectNothing()
      }
    }),
  ),

  check50(
    'MQTT-3.3.1-13',
    needing(needs, async (t) => {
      const c = await t.connect()
      await subscribe(c, { filter: t.topic('a'), qos: 0, retainAsPublished: true })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'kept', { qos: 1, retain: true })
      await c.receive({ payload: 'kept', retain: true })
      await publisher.publish(t.topic('a'), 'passing', { qos: 1 })
      await c.receive({ payload: 'passing', retain: false })
    }),
  ),
]

async function subscribe(c: Peer, subscription: Subscription): Promise<void> {
  const packetId = c.nextPacketId()
  c.send({ type: 'subscribe', packetId, subscriptions: [subscription] })
  await c.expect('suback', { packetId, reasonCodes: [0] })
}
