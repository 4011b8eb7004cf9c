import { reason } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import { ends } from './refusals.js'

const { malformedPacket, protocolError, topicFilterInvalid, topicNameInvalid } = reason
const inTopicName = [malformedPacket, protocolError, topicNameInvalid]
const inFilter = [malformedPacket, protocolError, topicFilterInvalid]

export const dataChecks50: readonly Check[] = [
  check50('MQTT-1.5.4-1', {
    'in a Topic Name': ends('30 06 0002 61ff 00 78', inTopicName),
    'in a Topic Filter': ends('82 08 0001 00 0002 61ff 00', inFilter),
    'a surrogate': ends('30 07 0003 eda080 00 78', inTopicName),
    'an overlong form': ends('30 06 0002 c1a1 00 78', inTopicName),
    'beyond U+10FFFF': ends('30 08 0004 f4908080 00 78', inTopicName),
    'what the server sends': async (t) => {
      const topic = t.topic('größe/温度/\u{1f426}')
      const subscriber = await t.subscriber(topic)
      const publisher = await t.connect()
      publisher.sendPublish(topic, 'x', { properties: { contentType: '\u{10000}' } })
      await subscriber.expectPublish({ topic, payload: 'x' })
    },
  }),
  check50('MQTT-1.5.4-2', {
    'in a Topic Name': ends('30 06 0002 6100 00 78', inTopicName),
    'in a Topic Filter': ends('82 08 0001 00 0002 6100 00', inFilter),
    'in a Content Type': ends('30 0a 0001 61 05 03 0002 6100 78'),
  }),
  check50('MQTT-1.5.5-1', {
    'a Property Length': ends('30 06 0001 61 8000 78'),
    'a Subscription Identifier': ends('82 0a 0001 03 0b 8100 0001 61 00'),
  }),
  check50('MQTT-1.5.7-1', {
    'the name': ends('30 0c 0001 61 07 26 0001 ff 0001 76 78'),
    'the value': ends('30 0c 0001 61 07 26 0001 6b 0001 00 78'),
  }),
]
