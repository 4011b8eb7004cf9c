import { describe, expect, test } from 'vitest'
import { Decoder, encode, type Packet, type PropertyHost, ProtocolError } from '../src/index.js'
import { attempt, bytes, concat, hexOf, plain } from './hex.js'
import { hosts, type PropertyRow, properties } from './properties.js'

const payload = new Uint8Array(0)
const publish = { type: 'publish', topic: 'a', payload, qos: 0, retain: false, dup: false } as const
const connect = { type: 'connect', version: 5, clientId: '', cleanStart: false, keepAliveSeconds: 0 } as const
const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
const subscriptions = [{ filter: 'a', qos: 0, ...options }] as const

/** For each place: the first byte, what stands before the property length and behind the properties, and the packet. */
const places: Readonly<Record<PropertyHost, readonly [string, string, string, (p: object) => Packet]>> = {
  connect: ['10', "0004 'MQTT' 05 00 0000", '0000', (p) => ({ ...connect, properties: p })],
  will: [
    '10',
    "0004 'MQTT' 05 04 0000 00 0000",
    "0001 'a' 0000",
    (p) => ({ ...connect, will: { topic: 'a', payload, qos: 0, retain: false, properties: p } }),
  ],
  connack: ['20', '00 00', '', (p) => ({ type: 'connack', sessionPresent: false, reasonCode: 0, properties: p })],
  publish: ['30', "0001 'a'", '', (p) => ({ ...publish, properties: p })],
  puback: ['40', '0001 00', '', (p) => ({ type: 'puback', packetId: 1, reasonCode: 0, properties: p })],
  pubrec: ['50', '0001 00', '', (p) => ({ type: 'pubrec', packetId: 1, reasonCode: 0, properties: p })],
  pubrel: ['62', '0001 00', '', (p) => ({ type: 'pubrel', packetId: 1, reasonCode: 0, properties: p })],
  pubcomp: ['70', '0001 00', '', (p) => ({ type: 'pubcomp', packetId: 1, reasonCode: 0, properties: p })],
  subscribe: ['82', '0001', "0001 'a' 00", (p) => ({ type: 'subscribe', packetId: 1, subscriptions, properties: p })],
  suback: ['90', '0001', '00', (p) => ({ type: 'suback', packetId: 1, reasonCodes: [0], properties: p })],
  unsubscribe: ['a2', '0001', "0001 'a'", (p) => ({ type: 'unsubscribe', packetId: 1, filters: ['a'], properties: p })],
  unsuback: ['b0', '0001', '00', (p) => ({ type: 'unsuback', packetId: 1, reasonCodes: [0], properties: p })],
  disconnect: ['e0', '00', '', (p) => ({ type: 'disconnect', reasonCode: 0, properties: p })],
  auth: ['f0', '00', '', (p) => ({ type: 'auth', reasonCode: 0, properties: p })],
}

/** Authentication Data may not stand in CONNECT without its method. */
const method = bytes("15 0001 'm'")
const company = (row: PropertyRow, host: PropertyHost): readonly [Uint8Array, object] =>
  row.name === 'authenticationData' && host === 'connect' ? [method, { authenticationMethod: 'm' }] : [payload, {}]

function wire(host: PropertyHost, ...body: readonly Uint8Array[]): Uint8Array {
  const [first, before, behind] = places[host]
  const inner = concat(...body)
  const rest = concat(bytes(before), Uint8Array.of(inner.length), inner, bytes(behind))
  return concat(bytes(first), Uint8Array.of(rest.length), rest)
}

function read(data: Uint8Array): Packet | ProtocolError {
  const decoder = new Decoder({ version: 5 })
  decoder.push(data)
  const packet = attempt(() => decoder.next()!)
  return packet instanceof ProtocolError ? packet : plain(packet)
}

const one = (row: PropertyRow, hex: string): Uint8Array => concat(Uint8Array.of(row.id), bytes(hex))

test('27 properties, each with its own identifier', () => {
  expect(new Set(properties.map(({ id }) => id)).size).toBe(27)
})

describe.each(properties)('$name', (row) => {
  const { name, list } = row

  describe.each(row.hosts)('in %s', (host) => {
    const build = places[host][3]
    const [beside, others] = company(row, host)

    test.each(row.good)('%s, both directions', (hex, value) => {
      const data = wire(host, beside, one(row, hex))
      const packet = build({ ...others, [name]: list ? [value] : value })
      expect(read(data)).toStrictEqual(packet)
      expect(hexOf(encode(packet, 5))).toBe(hexOf(data))
    })

    test.each(row.bad)('refuses %s: %s, %i', (hex, says, reasonCode) => {
      const error = read(wire(host, beside, one(row, hex)))
      expect(error).toBeInstanceOf(ProtocolError)
      expect((error as Error).message).toContain(says)
      expect((error as ProtocolError).reasonCode).toBe(reasonCode)
    })

    const repeatable = list && !(name === 'subscriptionIdentifiers' && host === 'subscribe')
    test(repeatable ? 'may be repeated, order kept' : 'may not be repeated', () => {
      const [[first, a], [second, b] = row.good[0]!] = row.good as [PropertyRow['good'][0], PropertyRow['good'][0]]
      const answer = read(wire(host, beside, one(row, second), one(row, first)))
      if (repeatable) expect(answer).toStrictEqual(build({ ...others, [name]: [b, a] }))
      else expect(answer).toMatchObject({ code: 'protocol-error', message: expect.stringMatching(/ given twice$/) })
    })
  })

  const elsewhere = hosts.filter((host) => !row.hosts.includes(host))
  test.each(elsewhere)('is refused in %s, in both directions', (host) => {
    const [hex, value] = row.good[0]!
    expect(read(wire(host, one(row, hex)))).toMatchObject({ code: 'malformed-packet', reasonCode: 0x81 })
    expect(() => encode(places[host][3]({ [name]: list ? [value] : value }), 5)).toThrow(`${name} is not for ${host}`)
  })
})

describe('identifiers that are no property', () => {
  const known = new Set(properties.map(({ id }) => id))
  const unknown = Array.from({ length: 128 }, (_, id) => id).filter((id) => !known.has(id))

  test.each(hosts)('are refused in %s', (host) => {
    for (const id of unknown) {
      expect(read(wire(host, Uint8Array.of(id, 0, 0, 0, 0)))).toMatchObject({ code: 'malformed-packet' })
    }
    // Identifiers are Variable Byte Integers: 0xa6 0x00 is 0x26 in a longer form.
    expect(read(wire(host, bytes('a600 0000 0000')))).toMatchObject({ message: expect.stringContaining('padded') })
    expect(read(wire(host, bytes('8101 0000')))).toMatchObject({ message: expect.stringContaining('property 0x81') })
  })
})

test('below 5.0 properties are not written', () => {
  expect(hexOf(encode({ ...publish, properties: { topicAlias: 1 } }, 4))).toBe('3003000161')
})

test('an empty property object is a length of 0', () => {
  expect(hexOf(encode({ type: 'puback', packetId: 1, properties: {} }, 5))).toBe('400400010000')
  expect(hexOf(encode({ ...publish, properties: { userProperties: [] } }, 5))).toBe('300400016100')
})

test('1000 user properties keep their order', () => {
  const userProperties = Array.from({ length: 1000 }, (_, n) => [`k${n % 10}`, `v${n}`] as const)
  const packet: Packet = { ...connect, properties: { userProperties } }
  expect(read(encode(packet, 5))).toStrictEqual(packet)
})

test('properties that are frozen, with all that is in them, are written as they are, also again and in another packet', () => {
  const pair = (name: string, value: string) => Object.freeze([name, value] as const)
  const frozen = Object.freeze({ userProperties: Object.freeze([pair('a', 'b')]) })
  const list = [pair('a', 'b')]
  const half = Object.freeze({ userProperties: list })
  const written = (properties: object): string => hexOf(encode({ ...publish, properties } as Packet, 5)).slice(10)
  expect([written(frozen), written(frozen), written(half)]).toEqual(Array(3).fill('0726000161000162'))
  list.push(pair('c', 'd'))
  expect([written(half), written(frozen)]).toEqual(['0e2600016100016226000163000164', '0726000161000162'])
  const ofPublish = Object.freeze({ topicAlias: 1 })
  written(ofPublish)
  const connack = { type: 'connack', sessionPresent: false, reasonCode: 0, properties: ofPublish }
  expect(() => encode(connack as Packet, 5)).toThrow('topicAlias is not for connack')
})
