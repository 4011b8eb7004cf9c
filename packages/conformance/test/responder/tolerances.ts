import type { Packet, ProtocolError, ProtocolVersion } from '@godwit/protocol'

/** A packet that is against the rules, and why. */
export interface Violation {
  readonly error: ProtocolError
  readonly frame: Uint8Array
  readonly version: ProtocolVersion
}

/**
 * Whether one of the rules it breaks is mutated. Then the packet is taken as if it were right: answered, if it is a
 * SUBSCRIBE or UNSUBSCRIBE; a CONNECT is accepted.
 */
export function toleratedBy(
  mutated: (fault: string) => boolean,
  violation: Violation,
): { readonly packets: readonly Packet[] } | undefined {
  const fault = Object.keys(tolerances).find((name) => tolerances[name]!(violation) && mutated(name))
  return fault === undefined ? undefined : { packets: answerTo(violation.frame) }
}

function answerTo(frame: Uint8Array): readonly Packet[] {
  const packetId = ((frame[2] ?? 0) << 8) | (frame[3] ?? 0)
  const type = frame[0]! >> 4
  if (packetId === 0) return []
  if (type === 8) return [{ type: 'suback', packetId, reasonCodes: [0] }]
  return type === 10 ? [{ type: 'unsuback', packetId, reasonCodes: [0] }] : []
}

type Tolerance = (violation: Violation) => boolean

const type = (frame: Uint8Array): number => frame[0]! >> 4
/** A packet of this type, refused in these words. */
const on =
  (code: number, words: string, more: (frame: Uint8Array) => boolean = () => true): Tolerance =>
  ({ error, frame }) =>
    type(frame) === code && error.message.startsWith(words) && more(frame)

/** The connect flags. */
const flagsOf = (frame: Uint8Array): number => frame[9] ?? 0
/** Whether these bytes stand in the packet. */
const holds =
  (...bytes: readonly number[]) =>
  (frame: Uint8Array): boolean =>
    frame.some((_, at) => bytes.every((byte, i) => frame[at + i] === byte))
const firstByte =
  (byte: number) =>
  (frame: Uint8Array): boolean =>
    frame[0] === byte

/** A string of two bytes, of which the second can stand nowhere. */
const isShortIllFormed = holds(0, 2, 0x61, 0xff)

const illFormed = 'a string that is not well-formed'
const short = 'the packet ends too early'
const leftOver = 'bytes left over'
const wildcard = 'a wildcard in a topic name'
const [connect, publish, pubrel, subscribe, unsubscribe] = [1, 3, 6, 8, 10]

const tolerances: Readonly<Record<string, Tolerance>> = {
  'takes-everything': () => true,
  'takes-a-surrogate': on(publish, illFormed, holds(0xed, 0xa0)),
  'takes-nul-in-user-name': on(connect, 'U+0000', (frame) => (flagsOf(frame) & 0x80) > 0),
  'takes-nul-in-subscribe': on(subscribe, 'U+0000'),
  'takes-nul-in-unsubscribe': on(unsubscribe, 'U+0000'),
  'takes-pingreq-flags': on(12, 'reserved flags'),
  'takes-identifier-0': on(subscribe, 'packet identifier 0'),
  'takes-any-protocol-name': ({ error }) => error.code === 'unsupported-protocol-name',
  'takes-any-level': ({ error }) => error.code === 'unsupported-protocol-version',
  'takes-reserved-connect-flag': on(connect, 'the reserved connect flag', (frame) => flagsOf(frame) === 3),
  'takes-will-without-fields': on(connect, short, (frame) => (flagsOf(frame) & 0xc4) === 4),
  'takes-fields-without-flag': on(connect, leftOver, (frame) => flagsOf(frame) === 2),
  'takes-password-without-flag': on(connect, leftOver, (frame) => flagsOf(frame) === 0x82),
  'takes-will-qos-without-will': on(connect, 'will flags', (frame) => (flagsOf(frame) & 0x18) > 0),
  'takes-will-qos-3': on(connect, 'will QoS 3'),
  'takes-will-retain-without-will': on(connect, 'will flags', (frame) => (flagsOf(frame) & 0x20) > 0),
  'takes-no-user-name': on(connect, short, (frame) => (flagsOf(frame) & 0xc0) === 0x80),
  'takes-no-password': on(connect, short, (frame) => (flagsOf(frame) & 0xc0) === 0xc0),
  'takes-password-without-user-name': on(connect, 'a password without a user name'),
  'takes-no-client-id': on(connect, short, (frame) => frame.length === 12),
  'takes-ill-formed-client-id': on(
    connect,
    illFormed,
    (frame) => isShortIllFormed(frame) && (flagsOf(frame) & 0xc4) === 0,
  ),
  'takes-ill-formed-will-topic': on(connect, illFormed, (frame) => isShortIllFormed(frame) && (flagsOf(frame) & 4) > 0),
  'takes-ill-formed-user-name': on(
    connect,
    illFormed,
    (frame) => isShortIllFormed(frame) && (flagsOf(frame) & 0x80) > 0,
  ),
  'takes-qos-3': on(publish, 'both QoS bits'),
  'takes-short-topic-length': on(publish, short),
  'takes-ill-formed-topic': on(publish, illFormed, holds(0xc3, 0x28)),
  'takes-hash-within-a-level': on(publish, wildcard, holds(0x61, 0x23)),
  'takes-plus-within-a-level': on(publish, wildcard, holds(0x61, 0x2b)),
  'takes-topic-hash': on(publish, wildcard, holds(0, 1, 0x23)),
  'takes-topic-with-plus': on(publish, wildcard, holds(0, 3, 0x61, 0x2f, 0x2b)),
  'takes-pubrel-flags-3': on(pubrel, 'reserved flags', firstByte(0x63)),
  'takes-pubrel-flags-0': on(pubrel, 'reserved flags', firstByte(0x60)),
  'takes-subscribe-flags-10': on(subscribe, 'reserved flags', firstByte(0x8a)),
  'takes-unsubscribe-flags-10': on(unsubscribe, 'reserved flags', firstByte(0xaa)),
  'takes-ill-formed-filter': on(subscribe, illFormed, isShortIllFormed),
  'takes-subscribe-without-filter': on(subscribe, 'SUBSCRIBE without a filter'),
  'takes-reserved-qos-bits': on(subscribe, 'reserved', firstByte(0x82)),
  'takes-filter-past-the-end': on(unsubscribe, short),
  'takes-unsubscribe-without-filter': on(unsubscribe, 'UNSUBSCRIBE without a filter'),
  'takes-disconnect-flags-1': on(14, 'reserved flags', firstByte(0xe1)),
  'takes-hash-not-last': on(subscribe, '"a/#/b" is not'),
  'takes-plus-within-filter': on(subscribe, '"a/+b" is not'),
  'takes-empty-filter': on(unsubscribe, '"" is not', (frame) => frame.length < 8),
  'takes-pingreq-with-body': on(12, leftOver),
  'takes-padded-property-length': on(publish, 'a padded'),
  'takes-ill-formed-user-property': on(publish, illFormed, holds(0x26, 0, 1, 0xff)),
  'takes-ill-formed-response-topic': on(publish, illFormed, holds(8, 0, 1, 0xff)),
  'takes-response-topic-with-wildcard': on(publish, 'a response topic'),
  'takes-ill-formed-content-type': on(publish, illFormed, holds(3, 0, 1, 0xff)),
  'takes-topic-alias-0': on(publish, 'topic alias 0'),
  'takes-auth-flags': on(15, 'reserved flags'),
  'takes-property-twice': on(publish, 'messageExpiryInterval given twice'),
  'takes-connect-property-twice': on(connect, 'receiveMaximum given twice'),
}
