import fc from 'fast-check'
import type { Packet, ProtocolVersion, QoS, Subscription } from '../src/index.js'
import { isReasonFor, isTopicFilter, isTopicName, type PropertyHost, type ReasonHost } from '../src/index.js'
import { flawOfText } from '../src/text.js'
import { properties } from './properties.js'

/** Packets that may be sent, every kind in every version: what the round trips are made of. */

const legal = (text: string): boolean => flawOfText(text, false) === undefined
export const text: fc.Arbitrary<string> = fc
  .oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 10 }), fc.constant('x'.repeat(200)))
  .filter(legal)
const level = fc.oneof(fc.constantFrom('', 'a', 'b', '$SYS', 'é', '😺', '\uFEFF'), text)
const levels = fc.array(level, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))
export const topicName: fc.Arbitrary<string> = levels.filter(isTopicName)
const wildLevel = fc.oneof(fc.constant('+'), level)
export const topicFilter: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom('', '', '$share/g/'), fc.array(wildLevel, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([share, parts, rest]) => share + [...parts, ...(rest ? ['#'] : [])].join('/'))
  .filter((filter) => legal(filter) && isTopicFilter(filter))

const binary = fc.uint8Array({ maxLength: 300 })
const packetId = fc.integer({ min: 1, max: 65_535 })
const qos = fc.constantFrom<QoS>(0, 1, 2)

const codesOf = (host: ReasonHost): number[] =>
  Array.from({ length: 256 }, (_, code) => code).filter((code) => isReasonFor(host, code))

/** A choice of the properties that may stand here, with values from the table; `undefined` when there are none. */
function propertiesFor(host: PropertyHost): fc.Arbitrary<Record<string, unknown> | undefined> {
  const shape = Object.fromEntries(
    properties
      .filter((row) => row.hosts.includes(host))
      .map((row) => {
        const value = fc.constantFrom(...row.good.map(([, each]) => each))
        const most = host === 'subscribe' && row.name === 'subscriptionIdentifiers' ? 1 : 4
        return [row.name, row.list ? fc.array(value, { minLength: 1, maxLength: most }) : value]
      }),
  )
  return fc.record(shape, { requiredKeys: [], noNullPrototype: true }).map((found) => {
    if (found.authenticationData !== undefined) found.authenticationMethod ??= 'PLAIN'
    return Object.keys(found).length === 0 ? undefined : found
  })
}

/** Takes out what is undefined, so that what is read can be compared with it. */
function dense<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}

function record(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Packet> {
  return fc.record(fields).map((packet) => dense(packet) as unknown as Packet)
}

const none = fc.constant(undefined)

function connects(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const will = fc
    .record({
      topic: topicName,
      payload: binary,
      qos,
      retain: fc.boolean(),
      properties: version === 5 ? propertiesFor('will') : none,
    })
    .map(dense)
  const username = fc.option(text, { nil: undefined })
  return fc
    .record({
      type: fc.constant('connect' as const),
      version: fc.constant(version),
      clientId: text,
      cleanStart: fc.boolean(),
      keepAliveSeconds: fc.integer({ min: 0, max: 65_535 }),
      will: fc.option(will, { nil: undefined }),
      username,
      password: fc.option(binary, { nil: undefined }),
      properties: version === 5 ? propertiesFor('connect') : none,
    })
    .map((connect) => {
      if (version < 5 && connect.username === undefined) connect.password = undefined
      return dense(connect) as Packet
    })
}

function publishes(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record({
      type: fc.constant('publish' as const),
      topic: topicName,
      payload: binary,
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetId,
      properties: version === 5 ? propertiesFor('publish') : none,
    })
    .map(({ packetId: id, dup, ...rest }) => {
      const first = { ...rest, dup: dup && rest.qos > 0, packetId: rest.qos > 0 ? id : undefined }
      return dense(first) as Packet
    })
}

const subscription = (version: ProtocolVersion): fc.Arbitrary<Subscription> =>
  version < 5
    ? fc.record({ filter: topicFilter, qos }, { noNullPrototype: true })
    : fc
        .record({
          filter: topicFilter,
          qos,
          noLocal: fc.boolean(),
          retainAsPublished: fc.boolean(),
          retainHandling: fc.constantFrom(0 as const, 1 as const, 2 as const),
        })
        .map((each) => ({ ...each, noLocal: each.noLocal && !each.filter.startsWith('$share/') }))

const many = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { minLength: 1, maxLength: 5 })

/** Of these two, 0 with nothing beside it is left out on the wire and read as absent. */
function endings(type: 'disconnect' | 'auth' | 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', version: ProtocolVersion) {
  const base = { type: fc.constant(type), ...(type !== 'disconnect' && type !== 'auth' && { packetId }) }
  if (version < 5) return record(base)
  const full = { ...base, reasonCode: fc.constantFrom(...codesOf(type)), properties: propertiesFor(type) }
  return fc.oneof(
    record(base),
    record(full).filter((p) => 'properties' in p || ('reasonCode' in p && p.reasonCode !== 0)),
  )
}

/** Every kind of packet of one version, by its type. */
export function packetsOf(version: ProtocolVersion): Record<string, fc.Arbitrary<Packet>> {
  const with5 = (host: PropertyHost) => (version === 5 ? propertiesFor(host) : none)
  const old = { connack: [0, 0x84, 0x85, 0x86, 0x87, 0x88], suback: [0, 1, 2, 0x80] }
  const codes = (host: 'connack' | 'suback') => fc.constantFrom(...(version === 5 ? codesOf(host) : old[host]))
  return {
    connect: connects(version),
    connack: record({
      type: fc.constant('connack'),
      sessionPresent: fc.boolean(),
      reasonCode: codes('connack'),
      properties: with5('connack'),
    }),
    publish: publishes(version),
    puback: endings('puback', version),
    pubrec: endings('pubrec', version),
    pubrel: endings('pubrel', version),
    pubcomp: endings('pubcomp', version),
    subscribe: record({
      type: fc.constant('subscribe'),
      packetId,
      subscriptions: many(subscription(version)),
      properties: with5('subscribe'),
    }),
    suback: record({
      type: fc.constant('suback'),
      packetId,
      reasonCodes: many(codes('suback')),
      properties: with5('suback'),
    }),
    unsubscribe: record({
      type: fc.constant('unsubscribe'),
      packetId,
      filters: many(topicFilter),
      properties: with5('unsubscribe'),
    }),
    unsuback: record({
      type: fc.constant('unsuback'),
      packetId,
      reasonCodes: version === 5 ? many(fc.constantFrom(...codesOf('unsuback'))) : fc.constant([]),
      properties: with5('unsuback'),
    }),
    pingreq: record({ type: fc.constant('pingreq') }),
    pingresp: record({ type: fc.constant('pingresp') }),
    disconnect: endings('disconnect', version),
    ...(version === 5 && { auth: endings('auth', version) }),
  }
}

/** Any packet of a version; never CONNECT, which would change the decoder's. */
export function anyPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const { connect: _, ...others } = packetsOf(version)
  return fc.oneof(...Object.values(others))
}
