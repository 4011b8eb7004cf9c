import { describe, expect, test } from 'vitest'
import {
  encode,
  encodeInto,
  encodePublishHead,
  type Packet,
  ProtocolError,
  type ProtocolErrorCode,
  type ProtocolVersion,
  Writer,
} from './index.js'

const payload = new Uint8Array(0)
const publish = { type: 'publish', topic: 'a', payload, qos: 0, retain: false, dup: false } as const
const connect = { type: 'connect', version: 4, clientId: 'h1', cleanStart: true, keepAliveSeconds: 60 } as const
const subscribe = { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos: 0 }] } as const
const will = { topic: 'a', payload, qos: 0, retain: false } as const
const breach = 'protocol-error'
const long = 'x'.repeat(65_536)

const refused: readonly (readonly [string, ProtocolVersion, object, ProtocolErrorCode])[] = [
  ['QoS 0 with a packet identifier [MQTT-2.3.1-5]', 4, { ...publish, packetId: 1 }, breach],
  ['QoS 1 without one [MQTT-2.3.1-1]', 4, { ...publish, qos: 1 }, breach],
  ['packet identifier 0 [MQTT-2.3.1-1]', 4, { ...publish, qos: 1, packetId: 0 }, breach],
  ['packet identifier 65,536', 4, { ...publish, qos: 1, packetId: 65_536 }, breach],
  ['packet identifier 1.5', 4, { ...publish, qos: 1, packetId: 1.5 }, breach],
  ['DUP at QoS 0 [MQTT-3.3.1-2]', 4, { ...publish, dup: true }, breach],
  ['QoS 3 [MQTT-3.3.1-4]', 4, { ...publish, qos: 3, packetId: 1 }, breach],
  ['a wildcard in a topic [MQTT-3.3.2-2]', 4, { ...publish, topic: 'a/#' }, 'topic-name-invalid'],
  ['an empty topic [MQTT-4.7.3-1]', 4, { ...publish, topic: '' }, 'topic-name-invalid'],
  ['an empty topic and no alias', 5, { ...publish, topic: '' }, 'topic-name-invalid'],
  [
    'an empty topic with an alias below 5.0',
    4,
    { ...publish, topic: '', properties: { topicAlias: 1 } },
    'topic-name-invalid',
  ],
  ['Topic Alias 0 [MQTT-3.3.2-8]', 5, { ...publish, properties: { topicAlias: 0 } }, 'topic-alias-invalid'],
  ['a surrogate in a topic [MQTT-1.5.3-1]', 4, { ...publish, topic: 'a\ud800' }, 'topic-name-invalid'],
  ['a topic of 65,536 bytes [MQTT-4.7.3-3]', 4, { ...publish, topic: long }, 'topic-name-invalid'],
  ['a response topic with a wildcard [MQTT-3.3.2-14]', 5, { ...publish, properties: { responseTopic: '+' } }, breach],
  ['a property that does not fit its width', 5, { ...publish, properties: { messageExpiryInterval: 2 ** 32 } }, breach],
  ['a surrogate in a property', 5, { ...publish, properties: { contentType: '\udc00' } }, 'malformed-packet'],
  ['a property value of 65,536 bytes', 5, { ...publish, properties: { contentType: long } }, 'malformed-packet'],

  ['a password without a user name [MQTT-3.1.2-22]', 4, { ...connect, password: payload }, breach],
  ['will QoS 3 [MQTT-3.1.2-14]', 4, { ...connect, will: { ...will, qos: 3 } }, breach],
  ['a wildcard in the will topic', 4, { ...connect, will: { ...will, topic: '+' } }, 'topic-name-invalid'],
  ['a will of 65,536 bytes', 4, { ...connect, will: { ...will, payload: new Uint8Array(65_536) } }, 'malformed-packet'],
  ['U+0000 in the client id [MQTT-1.5.3-2]', 4, { ...connect, clientId: 'a\0' }, 'malformed-packet'],
  ['a user name of 65,536 bytes', 4, { ...connect, username: long }, 'malformed-packet'],
  ['keep alive 65,536', 4, { ...connect, keepAliveSeconds: 65_536 }, breach],
  ['keep alive 0.5', 4, { ...connect, keepAliveSeconds: 0.5 }, breach],
  [
    'authentication data without a method',
    5,
    { ...connect, version: 5, properties: { authenticationData: payload } },
    breach,
  ],

  [
    'CONNACK with what 3.1.1 has no code for [MQTT-3.2.2-6]',
    4,
    { type: 'connack', sessionPresent: false, reasonCode: 0x97 },
    breach,
  ],
  ['CONNACK with a reason that is not for it', 5, { type: 'connack', sessionPresent: false, reasonCode: 0x8e }, breach],
  [
    'PUBACK with a reason that is not for it [MQTT-3.4.2-1]',
    5,
    { type: 'puback', packetId: 1, reasonCode: 0x8e },
    breach,
  ],
  ['PUBACK with packet identifier 0', 4, { type: 'puback', packetId: 0 }, breach],

  ['SUBSCRIBE without a filter [MQTT-3.8.3-3]', 4, { ...subscribe, subscriptions: [] }, breach],
  ['SUBSCRIBE with packet identifier 0', 4, { ...subscribe, packetId: 0 }, breach],
  ['SUBSCRIBE with QoS 3 [MQTT-3.8.3-4]', 4, { ...subscribe, subscriptions: [{ filter: 'a', qos: 3 }] }, breach],
  ['SUBSCRIBE to a bad filter', 4, { ...subscribe, subscriptions: [{ filter: 'a#', qos: 0 }] }, 'topic-filter-invalid'],
  ['retain handling 3', 5, { ...subscribe, subscriptions: [{ filter: 'a', qos: 0, retainHandling: 3 }] }, breach],
  [
    'No Local on a shared subscription [MQTT-3.8.3-4]',
    5,
    { ...subscribe, subscriptions: [{ filter: '$share/g/a', qos: 0, noLocal: true }] },
    breach,
  ],
  ['two subscription identifiers', 5, { ...subscribe, properties: { subscriptionIdentifiers: [1, 2] } }, breach],
  ['SUBACK without a code', 4, { type: 'suback', packetId: 1, reasonCodes: [] }, breach],
  ['SUBACK with code 3 [MQTT-3.9.3-2]', 4, { type: 'suback', packetId: 1, reasonCodes: [3] }, 'malformed-packet'],
  ['UNSUBSCRIBE without a filter [MQTT-3.10.3-2]', 4, { type: 'unsubscribe', packetId: 1, filters: [] }, breach],
  ['UNSUBACK of 5.0 without a code', 5, { type: 'unsuback', packetId: 1, reasonCodes: [] }, breach],
  ['DISCONNECT with a reason that is not for it [MQTT-3.14.2-1]', 5, { type: 'disconnect', reasonCode: 0x85 }, breach],
  ['AUTH below 5.0', 4, { type: 'auth' }, breach],
]

describe('what may not be sent', () => {
  test.each(refused)('%s', (_title, version, packet, code) => {
    const writer = new Writer(8)
    encodeInto(writer, { type: 'pingreq' }, version)
    expect(() => encodeInto(writer, packet as Packet, version)).toThrow(ProtocolError)
    expect(() => encodeInto(writer, packet as Packet, version)).toThrow(expect.objectContaining({ code }))
    // Not a byte of it was left behind, and the writer goes on.
    encodeInto(writer, { type: 'pingresp' }, version)
    expect(Buffer.from(writer.written()).toString('hex')).toBe('c000d000')
  })

  test('more than a Remaining Length can say', () => {
    const writer = new Writer()
    const most = 268_435_455
    encodePublishHead(writer, 'a', 0, false, false, 0, undefined, most - 3, 4)
    expect(Buffer.from(writer.written()).toString('hex')).toBe('30ffffff7f000161')
    expect(() => encodePublishHead(writer, 'a', 0, false, false, 0, undefined, most - 2, 4)).toThrow(
      expect.objectContaining({ code: 'packet-too-large', reasonCode: 0x95 }),
    )
    expect(writer.position).toBe(8)
  })
})

describe('encodePublishHead', () => {
  test.each([0, 1, 118, 119, 120, 121, 122, 123, 127, 128, 16_370, 16_377, 16_383, 2_097_140, 2_097_151])(
    'and %i bytes of payload make the packet that encode makes',
    (size) => {
      const packet = { ...publish, topic: 'é/b', qos: 1, packetId: 9, payload: new Uint8Array(size).fill(7) } as const
      for (const version of [4, 5] as const) {
        const writer = new Writer(1)
        encodePublishHead(writer, packet.topic, 1, false, false, 9, undefined, size, version)
        writer.copy(packet.payload, 0, size)
        expect(Buffer.compare(writer.written(), encode(packet, version))).toBe(0)
        expect(writer.position).toBeGreaterThan(size)
      }
    },
  )
})

describe('Writer', () => {
  test('grows, keeps what it has, and starts again', () => {
    const writer = new Writer(0)
    for (let n = 0; n < 1000; n++) writer.u8(n)
    expect(Array.from(writer.written())).toEqual(Array.from({ length: 1000 }, (_, n) => n & 255))
    writer.reset()
    expect(writer.written()).toHaveLength(0)
  })

  test.each([0, 1, 79, 80, 81, 5000])('copies %i bytes from the middle of a source', (length) => {
    const source = Uint8Array.from({ length: length + 20 }, (_, n) => n * 3)
    const writer = new Writer(1)
    writer.u8(0xaa)
    writer.copy(source, 10, 10 + length)
    expect(Array.from(writer.written())).toEqual([0xaa, ...source.subarray(10, 10 + length)])
  })

  test.each([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])(
    'writes %i as a varint of its own size',
    (n) => {
      const size = n < 128 ? 1 : n < 16_384 ? 2 : n < 2_097_152 ? 3 : 4
      const writer = new Writer(size)
      writer.varint(n)
      expect(writer.position).toBe(size)
      expect(writer.bytes).toHaveLength(size)
      expect(writer.written().reduce((sum, byte, at) => sum + (byte & 127) * 2 ** (7 * at), 0)).toBe(n)
    },
  )

  test.each(['a'.repeat(79), 'a'.repeat(80), 'a'.repeat(81), `${'a'.repeat(30)}é`, '€'.repeat(21_845)])(
    'writes %#',
    (text) => {
      const writer = new Writer(1)
      writer.utf8(text)
      const expected = Buffer.from(text)
      expect(
        Buffer.compare(
          writer.written(),
          Buffer.concat([Buffer.of(expected.length >> 8, expected.length & 255), expected]),
        ),
      ).toBe(0)
    },
  )
})
