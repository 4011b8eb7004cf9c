import { type Check, check50 } from '../check.js'
import { closes } from './violations.js'

/** Packets that end the connection, with or without a DISCONNECT that says why. */
export const errorChecks50: readonly Check[] = [
  check50('MQTT-1.5.4-1', {
    'topic name': closes('30 06 0002 61ff 00 78'),
    filter: closes('82 08 0001 00 0002 61ff 00'),
    'a surrogate': closes('30 07 0003 eda080 00 78'),
  }),
  check50('MQTT-1.5.4-2', {
    'topic name': closes('30 06 0002 6100 00 78'),
    filter: closes('82 08 0001 00 0002 6100 00'),
  }),
  check50('MQTT-1.5.5-1', { 'property length': closes('30 06 0001 61 8000 78') }),
  check50('MQTT-1.5.7-1', {
    'the name': closes('30 0c 0001 61 07 26 0001 ff 0001 76 78'),
    'the value': closes('30 0c 0001 61 07 26 0001 6b 0001 00 78'),
  }),
  check50('MQTT-2.1.3-1', {
    SUBSCRIBE: closes('80 07 0001 00 0001 61 00'),
    UNSUBSCRIBE: closes('a0 06 0001 00 0001 61'),
    PINGREQ: closes('c1 00'),
    PUBACK: closes('42 02 0007'),
  }),
  check50('MQTT-3.3.1-4', closes('36 07 0001 61 0001 00 78')),
  check50('MQTT-3.3.2-1', closes('30 06 0002 c328 00 78')),
  check50('MQTT-3.3.2-2', { '#': closes('30 05 0001 23 00 78'), '+': closes('30 05 0001 2b 00 78') }),
  check50('MQTT-3.3.2-8', closes('30 06 0000 03 23 0000')),
  check50('MQTT-3.3.2-13', closes('30 09 0001 61 04 08 0001 ff 78')),
  check50('MQTT-3.3.2-14', closes('30 09 0001 61 04 08 0001 23 78')),
  check50('MQTT-3.3.2-19', closes('30 09 0001 61 04 03 0001 ff 78')),
  check50('MQTT-3.6.1-1', closes('60 02 0007')),
  check50('MQTT-3.8.3-5', {
    'bit 6': closes('82 07 0001 00 0001 61 40'),
    'bit 7': closes('82 07 0001 00 0001 61 80'),
  }),
  check50('MQTT-3.14.1-1', closes('e1 00')),
  check50('MQTT-3.15.1-1', closes('f1 00')),
  check50('MQTT-4.7.0-1', { '#': closes('30 07 0003 612f23 00 78'), '+': closes('30 07 0003 612f2b 00 78') }),
  check50('MQTT-4.7.3-1', {
    'topic name': closes('30 04 0000 00 78'),
    filter: closes('82 06 0001 00 0000 00'),
    'filter of UNSUBSCRIBE': closes('a2 05 0001 00 0000'),
  }),
  check50('MQTT-4.7.3-2', {
    'topic name': closes('30 06 0002 6100 00 78'),
    filter: closes('82 08 0001 00 0002 6100 00'),
    'filter of UNSUBSCRIBE': closes('a2 07 0001 00 0002 6100'),
  }),
  check50('MQTT-4.13.1-1', {
    'an unknown property': closes('30 07 0001 61 02 7e00 78'),
    'a property that stands twice': closes('30 0f 0001 61 0a 0200000001 0200000002 78'),
    'a CONNACK from a client': closes('20 03 00 00 00'),
  }),
]
