import type { Packet, ProtocolVersion } from '../src/index.js'
import { bytes } from './hex.js'

/** One line of the table: these bytes mean this packet, in every version named. */
export interface Vector {
  readonly title: string
  readonly versions: readonly ProtocolVersion[]
  /** As `bytes` of hex.ts reads it. */
  readonly hex: string
  readonly packet: Packet
  /** Set where the other direction is not the same: what is legal to read, but written otherwise, or the reverse. */
  readonly only?: 'decode' | 'encode'
}

const all = [3, 4, 5] as const
const old = [3, 4] as const
const v5 = [5] as const

const hello = bytes("'hello'")
const nothing = new Uint8Array(0)
const publish = { type: 'publish', topic: 'a/b', payload: hello, qos: 0, retain: false, dup: false } as const
const connect = { type: 'connect', clientId: 'h1', cleanStart: true, keepAliveSeconds: 60 } as const
const plainOptions = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const

const connects: readonly Vector[] = [
  {
    title: 'CONNECT of 3.1: the name is MQIsdp',
    versions: [3],
    hex: "10 10 0006 'MQIsdp' 03 02 003c 0002 'h1'",
    packet: { ...connect, version: 3 },
  },
  {
    title: 'CONNECT, clean [MQTT-3.1.2-6]',
    versions: [4],
    hex: "10 0e 0004 'MQTT' 04 02 003c 0002 'h1'",
    packet: { ...connect, version: 4 },
  },
  {
    title: 'CONNECT of a bridge, which marks itself',
    versions: [4],
    hex: "10 0e 0004 'MQTT' 84 02 003c 0002 'h1'",
    packet: { ...connect, version: 4, bridge: true },
  },
  {
    title: 'CONNECT of a bridge of 3.1',
    versions: [3],
    hex: "10 10 0006 'MQIsdp' 83 02 003c 0002 'h1'",
    packet: { ...connect, version: 3, bridge: true },
  },
  {
    title: 'CONNECT without clean session, keep alive off, empty client id',
    versions: [4],
    hex: "10 0c 0004 'MQTT' 04 00 0000 0000",
    packet: { type: 'connect', version: 4, clientId: '', cleanStart: false, keepAliveSeconds: 0 },
  },
  {
    title: 'CONNECT with everything, fields in the order of [MQTT-3.1.3-1]',
    versions: [4],
    hex: "10 24 0004 'MQTT' 04 ee ffff 0002 'h1' 0001 'w' 0003 'bye' 0004 'user' 0006 'secret'",
    packet: {
      ...connect,
      version: 4,
      keepAliveSeconds: 65_535,
      will: { topic: 'w', payload: bytes("'bye'"), qos: 1, retain: true },
      username: 'user',
      password: bytes("'secret'"),
    },
  },
  {
    title: 'CONNECT with a will of QoS 2 and an empty payload, and an empty user name',
    versions: [3],
    hex: "10 17 0006 'MQIsdp' 03 96 003c 0002 'h1' 0001 'w' 0000 0000",
    packet: {
      ...connect,
      version: 3,
      will: { topic: 'w', payload: nothing, qos: 2, retain: false },
      username: '',
    },
  },
  {
    title: 'CONNECT of 5.0: the property length is there when it is 0 [MQTT-2.2.2-1]',
    versions: v5,
    hex: "10 0f 0004 'MQTT' 05 02 003c 00 0002 'h1'",
    packet: { ...connect, version: 5 },
  },
  {
    title: 'CONNECT of 5.0 with properties, will properties, and a password alone [MQTT-3.1.2-19]',
    versions: v5,
    hex: "10 28 0004 'MQTT' 05 46 003c 08 11 ffffffff 21 0014 0002 'h1' 05 18 0000000a 0001 'w' 0001 'x' 0003 010203",
    packet: {
      ...connect,
      version: 5,
      properties: { sessionExpiryInterval: 0xffff_ffff, receiveMaximum: 20 },
      will: { topic: 'w', payload: bytes("'x'"), qos: 0, retain: false, properties: { willDelayInterval: 10 } },
      password: bytes('010203'),
    },
  },
]

const connacks: readonly Vector[] = [
  ...[
    [0, 0x00, 'accepted'],
    [1, 0x84, 'unacceptable protocol version'],
    [2, 0x85, 'identifier rejected'],
    [3, 0x88, 'server unavailable'],
    [4, 0x86, 'bad user name or password'],
    [5, 0x87, 'not authorized'],
  ].map(
    ([code, reasonCode, name]): Vector => ({
      title: `CONNACK return code ${code}: ${name}`,
      versions: old,
      hex: `20 02 00 0${code}`,
      packet: { type: 'connack', sessionPresent: false, reasonCode: Number(reasonCode) },
    }),
  ),
  {
    title: 'CONNACK with session present [MQTT-3.2.2-2]',
    versions: old,
    hex: '20 02 01 00',
    packet: { type: 'connack', sessionPresent: true, reasonCode: 0 },
  },
  {
    title: 'CONNACK of 5.0',
    versions: v5,
    hex: '20 03 01 00 00',
    packet: { type: 'connack', sessionPresent: true, reasonCode: 0 },
  },
  {
    title: 'CONNACK of 5.0, refused with a reason',
    versions: v5,
    hex: "20 08 00 97 05 1f 0002 'no'",
    packet: { type: 'connack', sessionPresent: false, reasonCode: 0x97, properties: { reasonString: 'no' } },
  },
  {
    title: 'CONNACK of 5.0 with properties of 128 bytes: two bytes of length',
    versions: v5,
    hex: `20 8401 00 00 8001 1a 007d ${'78'.repeat(125)}`,
    packet: {
      type: 'connack',
      sessionPresent: false,
      reasonCode: 0,
      properties: { responseInformation: 'x'.repeat(125) },
    },
  },
]

const publishes: readonly Vector[] = [
  {
    title: 'PUBLISH QoS 0: no packet identifier [MQTT-2.3.1-5]',
    versions: old,
    hex: "30 0a 0003 'a/b' 'hello'",
    packet: publish,
  },
  {
    title: 'PUBLISH retained and empty',
    versions: old,
    hex: "31 05 0003 'a/b'",
    packet: { ...publish, retain: true, payload: nothing },
  },
  {
    title: 'PUBLISH QoS 1',
    versions: old,
    hex: "32 0c 0003 'a/b' 0001 'hello'",
    packet: { ...publish, qos: 1, packetId: 1 },
  },
  {
    title: 'PUBLISH QoS 2, again, retained, with the highest packet identifier [MQTT-3.3.1-1]',
    versions: old,
    hex: "3d 0c 0003 'a/b' ffff 'hello'",
    packet: { ...publish, qos: 2, packetId: 65_535, dup: true, retain: true },
  },
  {
    title: 'PUBLISH with U+FEFF kept in front of the topic [MQTT-1.5.3-3] [MQTT-1.5.4-3]',
    versions: old,
    hex: "30 07 0004 efbbbf 'a' 'x'",
    packet: { ...publish, topic: '\uFEFFa', payload: bytes("'x'") },
  },
  {
    title: 'PUBLISH with two, three and four bytes of UTF-8 in the topic',
    versions: old,
    hex: '30 0b 0009 c3a9 e282ac f09f98ba',
    packet: { ...publish, topic: 'é€😺', payload: nothing },
  },
  {
    title: 'PUBLISH of 127 bytes behind the fixed header: one byte of length',
    versions: old,
    hex: `30 7f 0001 'a' ${'00'.repeat(124)}`,
    packet: { ...publish, topic: 'a', payload: new Uint8Array(124) },
  },
  {
    title: 'PUBLISH of 128 bytes: two',
    versions: old,
    hex: `30 8001 0001 'a' ${'00'.repeat(125)}`,
    packet: { ...publish, topic: 'a', payload: new Uint8Array(125) },
  },
  {
    title: 'PUBLISH of 16,383 bytes: two',
    versions: old,
    hex: `30 ff7f 0001 'a' ${'00'.repeat(16_380)}`,
    packet: { ...publish, topic: 'a', payload: new Uint8Array(16_380) },
  },
  {
    title: 'PUBLISH of 16,384 bytes: three',
    versions: old,
    hex: `30 808001 0001 'a' ${'00'.repeat(16_381)}`,
    packet: { ...publish, topic: 'a', payload: new Uint8Array(16_381) },
  },
  {
    title: 'PUBLISH of 5.0',
    versions: v5,
    hex: "30 0b 0003 'a/b' 00 'hello'",
    packet: publish,
  },
  {
    title: 'PUBLISH of 5.0 by Topic Alias alone',
    versions: v5,
    hex: "30 0b 0000 03 23 0001 'hello'",
    packet: { ...publish, topic: '', properties: { topicAlias: 1 } },
  },
  {
    title:
      'PUBLISH of 5.0 with the subscription identifiers that matched, and User Properties in order [MQTT-3.3.2-18]',
    versions: v5,
    hex: "34 21 0003 'a/b' 000a 14 0b 01 0b ffffff7f 26 0001 'k' 0001 'v' 26 0001 'k' 0000 'hello'",
    packet: {
      ...publish,
      qos: 2,
      packetId: 10,
      properties: {
        subscriptionIdentifiers: [1, 268_435_455],
        userProperties: [
          ['k', 'v'],
          ['k', ''],
        ],
      },
    },
  },
]

const ackCodes = [
  ['puback', '40'],
  ['pubrec', '50'],
  ['pubrel', '62'],
  ['pubcomp', '70'],
] as const

const acks: readonly Vector[] = ackCodes.flatMap(([type, first]): Vector[] => {
  const reasonCode = type === 'puback' || type === 'pubrec' ? 0x97 : 0x92
  const code = reasonCode.toString(16)
  return [
    {
      title: `${type.toUpperCase()}: two bytes`,
      versions: all,
      hex: `${first} 02 0001`,
      packet: { type, packetId: 1 },
    },
    {
      title: `${type.toUpperCase()} with a reason and no property length`,
      versions: v5,
      hex: `${first} 03 ffff ${code}`,
      packet: { type, packetId: 65_535, reasonCode },
    },
    {
      title: `${type.toUpperCase()} with a reason and properties`,
      versions: v5,
      hex: `${first} 0c 0007 ${code} 08 1f 0005 'sorry'`,
      packet: { type, packetId: 7, reasonCode, properties: { reasonString: 'sorry' } },
    },
    {
      title: `${type.toUpperCase()} with success in full`,
      versions: v5,
      hex: `${first} 04 0007 00 00`,
      packet: { type, packetId: 7, reasonCode: 0 },
      only: 'decode',
    },
    {
      title: `${type.toUpperCase()} with success, which need not be said`,
      versions: all,
      hex: `${first} 02 0007`,
      packet: { type, packetId: 7, reasonCode: 0 },
      only: 'encode',
    },
    {
      title: `${type.toUpperCase()} with a reason below 5.0, where it has no place`,
      versions: old,
      hex: `${first} 02 0007`,
      packet: { type, packetId: 7, reasonCode },
      only: 'encode',
    },
  ]
})

const subscribes: readonly Vector[] = [
  {
    title: 'SUBSCRIBE to three filters',
    versions: old,
    hex: "82 12 0001 0003 'a/b' 00 0003 '+/c' 01 0001 '#' 02",
    packet: {
      type: 'subscribe',
      packetId: 1,
      subscriptions: [
        { filter: 'a/b', qos: 0 },
        { filter: '+/c', qos: 1 },
        { filter: '#', qos: 2 },
      ],
    },
  },
  {
    title: 'SUBSCRIBE of 5.0 with every option and an identifier',
    versions: v5,
    hex: "82 0e 0001 03 0b c807 0001 'a' 00 0001 'b' 2e",
    packet: {
      type: 'subscribe',
      packetId: 1,
      subscriptions: [
        { filter: 'a', qos: 0, ...plainOptions },
        { filter: 'b', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      ],
      properties: { subscriptionIdentifiers: [968] },
    },
  },
  {
    title: 'SUBSCRIBE of 5.0 to a shared filter',
    versions: v5,
    hex: "82 10 ffff 00 000a '$share/g/a' 11",
    packet: {
      type: 'subscribe',
      packetId: 65_535,
      subscriptions: [{ filter: '$share/g/a', qos: 1, ...plainOptions, retainHandling: 1 }],
    },
  },
  {
    title: 'SUBSCRIBE of 5.0 with options left to their defaults',
    versions: v5,
    hex: "82 07 0001 00 0001 'a' 01",
    packet: { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 1 }] },
    only: 'encode',
  },
  {
    title: 'SUBACK with every code of 3.1.1 [MQTT-3.9.3-1] [MQTT-3.9.3-2]',
    versions: old,
    hex: '90 06 0001 00 01 02 80',
    packet: { type: 'suback', packetId: 1, reasonCodes: [0, 1, 2, 0x80] },
  },
  {
    title: 'SUBACK below 5.0 has one code for every refusal [MQTT-3.9.3-2]',
    versions: old,
    hex: '90 05 0001 80 80 01',
    packet: { type: 'suback', packetId: 1, reasonCodes: [0x87, 0x97, 1] },
    only: 'encode',
  },
  {
    title: 'SUBACK of 5.0',
    versions: v5,
    hex: "90 0d 0001 07 26 0001 'k' 0001 'v' 02 87 a2",
    packet: { type: 'suback', packetId: 1, reasonCodes: [2, 0x87, 0xa2], properties: { userProperties: [['k', 'v']] } },
  },
  {
    title: 'UNSUBSCRIBE',
    versions: old,
    hex: "a2 0a 0009 0003 'a/b' 0001 '#'",
    packet: { type: 'unsubscribe', packetId: 9, filters: ['a/b', '#'] },
  },
  {
    title: 'UNSUBSCRIBE of 5.0',
    versions: v5,
    hex: "a2 0d 0009 07 26 0001 'k' 0001 'v' 0001 '+'",
    packet: { type: 'unsubscribe', packetId: 9, filters: ['+'], properties: { userProperties: [['k', 'v']] } },
  },
  {
    title: 'UNSUBACK below 5.0: no codes',
    versions: old,
    hex: 'b0 02 0009',
    packet: { type: 'unsuback', packetId: 9, reasonCodes: [] },
  },
  {
    title: 'UNSUBACK below 5.0: codes are not sent',
    versions: old,
    hex: 'b0 02 0009',
    packet: { type: 'unsuback', packetId: 9, reasonCodes: [0, 0x11] },
    only: 'encode',
  },
  {
    title: 'UNSUBACK of 5.0 [MQTT-3.11.3-2]',
    versions: v5,
    hex: 'b0 05 0009 00 00 11',
    packet: { type: 'unsuback', packetId: 9, reasonCodes: [0, 0x11] },
  },
]

const rest: readonly Vector[] = [
  { title: 'PINGREQ', versions: all, hex: 'c0 00', packet: { type: 'pingreq' } },
  { title: 'PINGRESP', versions: all, hex: 'd0 00', packet: { type: 'pingresp' } },
  {
    title: 'PINGREQ with a padded length, which 3.1.1 does not ban',
    versions: old,
    hex: 'c0 80 00',
    packet: { type: 'pingreq' },
    only: 'decode',
  },
  {
    title: 'PINGREQ with a length padded to four bytes',
    versions: old,
    hex: 'c0 80 80 80 00',
    packet: { type: 'pingreq' },
    only: 'decode',
  },
  { title: 'DISCONNECT', versions: all, hex: 'e0 00', packet: { type: 'disconnect' } },
  {
    title: 'DISCONNECT below 5.0 says no reason',
    versions: old,
    hex: 'e0 00',
    packet: { type: 'disconnect', reasonCode: 0x8e },
    only: 'encode',
  },
  {
    title: 'DISCONNECT with a reason alone',
    versions: v5,
    hex: 'e0 01 04',
    packet: { type: 'disconnect', reasonCode: 4 },
  },
  {
    title: 'DISCONNECT with normal disconnection in full',
    versions: v5,
    hex: 'e0 02 00 00',
    packet: { type: 'disconnect', reasonCode: 0 },
    only: 'decode',
  },
  {
    title: 'DISCONNECT with properties',
    versions: v5,
    hex: "e0 0b 9c 09 1c 0006 'other:'",
    packet: { type: 'disconnect', reasonCode: 0x9c, properties: { serverReference: 'other:' } },
  },
  {
    title: 'DISCONNECT with properties beside a reason of 0',
    versions: v5,
    hex: 'e0 07 00 05 11 00000000',
    packet: { type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } },
  },
  { title: 'AUTH: success in no bytes', versions: v5, hex: 'f0 00', packet: { type: 'auth' } },
  {
    title: 'AUTH: continue',
    versions: v5,
    hex: "f0 10 18 0e 15 0005 'SCRAM' 16 0003 00ff80",
    packet: {
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'SCRAM', authenticationData: bytes('00ff80') },
    },
  },
]

export const vectors: readonly Vector[] = [...connects, ...connacks, ...publishes, ...acks, ...subscribes, ...rest]
