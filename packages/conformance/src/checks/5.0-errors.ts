import { reason } from '@godwit/protocol'
import { type Check, check50 } from '../check.js'
import { ends } from './v5/refusals.js'

const badFilter = [reason.malformedPacket, reason.protocolError, reason.topicFilterInvalid]
const badTopic = [reason.malformedPacket, reason.protocolError, reason.topicNameInvalid]

/** Packets that end the connection, with or without a DISCONNECT that says why. */
export const errorChecks50: readonly Check[] = [
  check50('MQTT-3.8.3-5', {
    'bit 6': ends('82 07 0001 00 0001 61 40'),
    'bit 7': ends('82 07 0001 00 0001 61 80'),
  }),
  check50('MQTT-3.14.1-1', ends('e1 00', [reason.malformedPacket])),
  check50('MQTT-3.15.1-1', ends('f1 00')),
  check50('MQTT-4.7.0-1', {
    '#': ends('30 07 0003 612f23 00 78', badTopic),
    '+': ends('30 07 0003 612f2b 00 78', badTopic),
  }),
  check50('MQTT-4.7.3-1', {
    'topic name': ends('30 04 0000 00 78', [...badTopic, reason.topicAliasInvalid]),
    filter: ends('82 06 0001 00 0000 00', badFilter),
    'filter of UNSUBSCRIBE': ends('a2 05 0001 00 0000', badFilter),
  }),
  check50('MQTT-4.7.3-2', {
    'topic name': ends('30 06 0002 6100 00 78', badTopic),
    filter: ends('82 08 0001 00 0002 6100 00', badFilter),
    'filter of UNSUBSCRIBE': ends('a2 07 0001 00 0002 6100', badFilter),
  }),
  check50('MQTT-4.13.1-1', {
    'an unknown property': ends('30 07 0001 61 02 7e00 78'),
    'a property that stands twice': ends('30 0f 0001 61 0a 0200000001 0200000002 78', [reason.protocolError]),
    'a CONNACK from a client': ends('20 03 00 00 00', [reason.protocolError]),
  }),
]
