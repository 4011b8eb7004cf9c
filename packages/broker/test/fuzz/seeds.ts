import { encode, type Packet, type ProtocolVersion } from '@godwit/protocol'
import { connectPacket, publishPacket, subscribePacket } from '../test-client.js'

const versions: readonly ProtocolVersion[] = [3, 4, 5]

/** Legal beginnings of a connection, in all versions; client identifiers meet, so sessions are taken over and resumed. */
export const greetings: readonly { readonly version: ProtocolVersion; readonly bytes: Uint8Array }[] = versions.flatMap(
  (version) =>
    Array.from({ length: 40 }, (_, n) => {
      const properties = { sessionExpiryInterval: n, receiveMaximum: 1 + (n % 5), topicAliasMaximum: n % 3 }
      const packet = connectPacket(`fuzz-${n}`, {
        version,
        cleanStart: n % 3 === 0,
        keepAliveSeconds: n % 4,
        ...(n % 5 === 0 && { will: { topic: `will/${n}`, payload: 'gone', qos: 1, retain: n % 10 === 0 } }),
        ...(n % 7 === 0 && { username: 'u', password: 'p' }),
        ...(version === 5 && n % 2 === 0 && { properties }),
      })
      return { version, bytes: encode(packet, version) }
    }),
)

const ofAll: readonly Packet[] = [
  publishPacket('a/b', 'payload'),
  publishPacket('a/b', 'payload', 1, 5, true),
  publishPacket('a/c', '', 1, 5, true),
  publishPacket('a/b', 'payload', 2, 6),
  publishPacket('$SYS/x', 'x', 1, 9),
  publishPacket('long/payload', 'x'.repeat(3000), 1, 8),
  { type: 'puback', packetId: 1 },
  { type: 'pubrec', packetId: 1 },
  { type: 'pubrec', packetId: 2 },
  { type: 'pubrel', packetId: 6 },
  { type: 'pubcomp', packetId: 2 },
  subscribePacket([
    { filter: 'a/#', qos: 2 },
    { filter: '+/b', qos: 1 },
  ]),
  subscribePacket([{ filter: '#', qos: 0 }], 11),
  subscribePacket([{ filter: '$SYS/#', qos: 0 }], 12),
  { type: 'unsubscribe', packetId: 3, filters: ['a/#', '#'] },
  { type: 'pingreq' },
  { type: 'disconnect' },
]

const of50: readonly Packet[] = [
  {
    type: 'publish',
    topic: 'a/b',
    payload: Buffer.from('payload'),
    qos: 1,
    packetId: 7,
    retain: true,
    dup: false,
    properties: {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 5,
      contentType: 'text/plain',
      responseTopic: 'r',
      correlationData: Buffer.from('c'),
      topicAlias: 1,
      userProperties: [['k', 'v']],
    },
  },
  {
    type: 'publish',
    topic: '',
    payload: Buffer.from('by alias'),
    qos: 0,
    retain: false,
    dup: false,
    properties: { topicAlias: 1 },
  },
  {
    type: 'subscribe',
    packetId: 13,
    subscriptions: [
      { filter: 'a/+', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 1 },
      { filter: '$share/g/a/#', qos: 1 },
    ],
    properties: { subscriptionIdentifiers: [268_435_455] },
  },
  { type: 'pubrec', packetId: 2, reasonCode: 0x80, properties: { reasonString: 'no' } },
  { type: 'pubrel', packetId: 6, reasonCode: 0x92 },
  { type: 'auth', reasonCode: 0x19, properties: { authenticationMethod: 'm' } },
  { type: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 5 } },
]

/** Legal packets after CONNECT, by version. */
export const legal: Readonly<Record<ProtocolVersion, readonly Uint8Array[]>> = {
  3: ofAll.map((packet) => encode(packet, 3)),
  4: ofAll.map((packet) => encode(packet, 4)),
  5: [...ofAll, ...of50].map((packet) => encode(packet, 5)),
}
