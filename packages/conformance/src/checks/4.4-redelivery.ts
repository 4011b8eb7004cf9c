import { type Check, check } from '../check.js'

export const redeliveryChecks: readonly Check[] = [
  check('MQTT-4.4.0-1', {
    'PUBLISH at QoS 1 and 2': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const publisher = await t.connect()
      for (const qos of [1, 2] as const) {
        const topic = t.topic(`at-${qos}`)
        const first = await t.subscriber(topic, qos, session)
        await publisher.publish(topic, 'x', { qos })
        const { packetId } = await first.expectPublish({ topic, payload: 'x', qos })
        await first.drop()
        const second = await t.connect(session)
        await second.receive({ topic, payload: 'x', qos, packetId })
        await second.expectNothing()
        await second.drop()
      }
    },
    PUBREL: async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const publisher = await t.connect()
      const first = await t.subscriber(t.topic('a'), 2, session)
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await first.expectPublish({ qos: 2 })
      first.send({ type: 'pubrec', packetId })
      await first.expect('pubrel', { packetId })
      await first.drop()
      for (let i = 0; i < 2; i++) {
        const again = await t.connect(session)
        await again.expect('pubrel', { packetId })
        await again.drop()
      }
      const last = await t.connect(session)
      await last.expect('pubrel', { packetId })
      last.send({ type: 'pubcomp', packetId })
      await last.expectNothing()
    },
    'after a take-over': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const publisher = await t.connect()
      const first = await t.subscriber(t.topic('a'), 1, session)
      await publisher.publish(t.topic('a'), 'x', { qos: 1 })
      const { packetId } = await first.expectPublish({ qos: 1 })
      const second = await t.connect(session)
      await first.expectClosed()
      await second.receive({ payload: 'x', packetId })
    },
  }),
]
