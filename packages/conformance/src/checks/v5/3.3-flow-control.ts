import type { QoS } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { needing } from './offer.js'

export const flowControlChecks50: readonly Check[] = [
  check50('MQTT-3.3.4-9', {
    'PUBACK makes room': needing({ qos: 1 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 1, { properties: { receiveMaximum: 2 } })
      const publisher = await t.connect()
      for (const payload of ['1', '2', '3']) await publisher.publish(t.topic('a'), payload, { qos: 1 })
      const first = await c.expectPublish({ payload: '1' })
      await c.expectPublish({ payload: '2' })
      await c.expectNothing()
      await c.acknowledge(first)
      await c.expectPublish({ payload: '3' })
    }),
    'PUBCOMP makes room, PUBREC does not': needing({ qos: 2 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 2, { properties: { receiveMaximum: 1 } })
      const publisher = await t.connect()
      for (const payload of ['1', '2']) await publisher.publish(t.topic('a'), payload, { qos: 2 })
      const { packetId = 0 } = await c.expectPublish({ payload: '1' })
      c.send({ type: 'pubrec', packetId })
      await c.expect('pubrel', { packetId })
      await c.expectNothing()
      c.send({ type: 'pubcomp', packetId })
      await c.expectPublish({ payload: '2' })
    }),
  }),

  check50('MQTT-3.3.4-10', { 'QoS 1': full(1), 'QoS 2': full(2) }),
]

/** With its window full, the client hears everything else. */
function full(qos: QoS): Dialogue {
  return needing({ qos }, async (t) => {
    const c = await t.subscriber(t.topic('a'), qos, { properties: { receiveMaximum: 1 } })
    const publisher = await t.connect()
    for (const payload of ['1', '2']) await publisher.publish(t.topic('a'), payload, { qos })
    await c.expectPublish({ payload: '1' })
    await c.expectOpen()
    await c.subscribe(t.topic('b'))
    publisher.sendPublish(t.topic('b'), 'at QoS 0')
    await c.expectPublish({ topic: t.topic('b'), payload: 'at QoS 0' })
    await c.publish(t.topic('c'), 'its own', { qos })
    await c.unsubscribe(t.topic('b'))
  })
}
