import { type Check, check50 } from '../../check.js'
import { dialogueOf } from '../5.0-as-3.1.1.js'
import { needing } from './offer.js'
import { ends } from './refusals.js'

export const packetFormatChecks50: readonly Check[] = [
  check50('MQTT-2.1.3-1', {
    SUBSCRIBE: ends('80 07 0001 00 0001 61 00'),
    UNSUBSCRIBE: ends('a0 06 0001 00 0001 61'),
    PINGREQ: ends('c1 00'),
    PUBACK: ends('42 02 0007'),
    PUBREC: ends('51 02 0007'),
    PUBCOMP: ends('7f 02 0007'),
    'what the server sends': dialogueOf('2.2.2-1', { qos: 2 }, 'what it answers'),
    PUBREL: dialogueOf('2.2.2-1', { qos: 2 }, 'PUBREL'),
  }),

  // Without its length, the decoder would take what follows for it: fields that are right are the proof.
  check50('MQTT-2.2.2-1', {
    'CONNACK, SUBACK, UNSUBACK': async (t) => {
      const filter = t.topic('a')
      const c = await t.connect()
      c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos: 0 }] })
      await c.expect('suback', { packetId: 1, reasonCodes: [0] })
      c.send({ type: 'unsubscribe', packetId: 2, filters: [filter] })
      await c.expect('unsuback', { packetId: 2, reasonCodes: [0] })
    },
    'PUBLISH at QoS 0': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'))
      const publisher = await t.connect()
      publisher.sendPublish(t.topic('a'), '\x05 bytes')
      await subscriber.expectPublish({ topic: t.topic('a'), payload: '\x05 bytes', qos: 0 })
    },
    'PUBLISH at QoS 1': needing({ qos: 1 }, async (t) => {
      const subscriber = await t.subscriber(t.topic('a'), 1)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), '\x05 bytes', { qos: 1 })
      await subscriber.receive({ topic: t.topic('a'), payload: '\x05 bytes', qos: 1 })
    }),
  }),
]
