import { type Check, check } from '../check.js'

export const pubrelChecks: readonly Check[] = [
  check('MQTT-3.6.1-1', {
    'flags 0000': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
      await c.expect('pubrec', { packetId: 7 })
      c.sendHex('60 02 0007')
      await c.expectClosed()
    },
    'flags 0011': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
      await c.expect('pubrec', { packetId: 7 })
      c.sendHex('63 02 0007')
      await c.expectClosed()
    },
    'what the server sends': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'), 2)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await subscriber.expectPublish({ qos: 2 })
      subscriber.send({ type: 'pubrec', packetId })
      await subscriber.expectHex(`62 02 ${packetId.toString(16).padStart(4, '0')}`)
      subscriber.send({ type: 'pubcomp', packetId })
    },
  }),
]
