import { reason } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import { dialogueOf } from '../5.0-as-3.1.1.js'
import { ends } from './refusals.js'

const { malformedPacket, protocolError, topicAliasInvalid, topicNameInvalid } = reason
const inTopicName = [malformedPacket, protocolError, topicNameInvalid]

/** PUBLISH packets that no server takes. */
export const malformedPublishChecks50: readonly Check[] = [
  check50('MQTT-3.3.1-4', {
    'QoS 3': ends('36 07 0001 61 0001 00 78'),
    'QoS 3 with DUP and RETAIN': ends('3f 07 0001 61 0001 00 78'),
  }),
  check50('MQTT-3.3.2-1', {
    'ill-formed': ends('30 06 0002 c328 00 78', inTopicName),
    'not there': ends('30 00', inTopicName),
    'longer than the packet': ends('30 03 0020 78', inTopicName),
    'what the server sends': dialogueOf('3.3.2-1', {}, 'what the server sends'),
  }),
  check50('MQTT-3.3.2-2', {
    '#': ends('30 05 0001 23 00 78', inTopicName),
    '+': ends('30 05 0001 2b 00 78', inTopicName),
    '+ in a level of its own': ends('30 09 0005 612f2b2f62 00 78', inTopicName),
    'what the server sends': dialogueOf('3.3.2-2', { wildcards: true }, 'what the server sends'),
  }),
  check50('MQTT-3.3.2-8', ends('30 07 0001 61 03 23 0000', [malformedPacket, protocolError, topicAliasInvalid])),
  check50('MQTT-3.3.2-13', ends('30 09 0001 61 04 08 0001 ff 78', inTopicName)),
  check50('MQTT-3.3.2-14', {
    '#': ends('30 09 0001 61 04 08 0001 23 78', inTopicName),
    '+ in a level of its own': ends('30 0b 0001 61 06 08 0003 612f2b 78', inTopicName),
  }),
  check50('MQTT-3.3.2-19', ends('30 09 0001 61 04 03 0001 ff 78')),
]
