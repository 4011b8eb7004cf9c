import type { Packet, ProtocolVersion } from '@godwit/protocol'

/** A fault of the scripted client, and the statements whose checks it must fail: of 3.1.1, of 5.0. */
export const clientFaults = {
  'ping-first': ['3.1.0-1', '3.1.0-1'],
  'short-connect': ['3.1.2-9 3.1.2-19 3.1.2-21 3.1.3-1 3.1.3-3', '3.1.2-9 3.1.2-17 3.1.2-19 3.1.3-1 3.1.3-3'],
  'will-qos-without-will': ['3.1.2-11 3.1.2-13', '3.1.2-11'],
  'will-qos-3': ['3.1.2-14', '3.1.2-12'],
  'will-retain-without-will': ['3.1.2-15', '3.1.2-13'],
  'username-without-flag': ['3.1.2-18 3.1.2-22', '3.1.2-16'],
  'password-without-flag': ['3.1.2-20', '3.1.2-18'],
  'bad-client-id': ['3.1.3-4', '3.1.3-4'],
  'no-client-id': ['3.1.3-7', ''],
  'bad-will-topic': ['3.1.3-10', '3.1.3-11'],
  'bad-username': ['3.1.3-11', '3.1.3-12'],
  'bears-anything': ['3.3.1-4 2.2.2-2 1.5.3-1 1.5.3-2 4.8.0-1', '3.2.2-4 4.13.2-1 3.3.1-4 1.5.4-1 1.5.4-2'],
  'sends-auth': ['', '4.12.0-7'],
  'ping-after-disconnect': ['3.14.4-2', '3.14.4-1'],
  'stays-after-disconnect': ['3.14.4-1', '3.14.4-2'],
  'no-ping': ['3.1.2-23', '3.1.2-20 3.1.2-21 3.2.2-21'],
  'disconnect-flags': ['2.2.2-1', '2.1.3-1 3.14.1-1'],
  'pubrel-flags': ['3.6.1-1', '3.6.1-1'],
  'subscribe-flags': ['3.8.1-1', '3.8.1-1'],
  'unsubscribe-flags': ['3.10.1-1', '3.10.1-1'],
  'bad-topic': ['3.3.2-1', '3.3.2-1'],
  'wildcard-topic': ['3.3.2-2 4.7.1-1', '3.3.2-2 4.7.0-1'],
  'bad-filter': ['3.8.3-1', '3.8.3-1'],
  'no-filter': ['3.8.3-3', '3.8.3-2'],
  'no-filter-left': ['3.10.3-1 3.10.3-2', '3.10.3-1 3.10.3-2'],
  'wildcard-inside': ['4.7.1-2 4.7.1-3', '4.7.1-1 4.7.1-2'],
  'subscription-identifier': ['', '3.3.4-6'],
  'identifier-0': ['2.3.1-1', ''],
  'ignores-limits': ['', '3.3.4-7 4.9.0-1 4.9.0-2 3.2.2-11 3.2.2-14 3.2.2-15 3.2.2-17 3.2.2-18 3.3.2-9'],
  'dup-first': ['4.3.2-1 4.3.3-1', '4.3.2-2 4.3.3-2'],
  'same-id': ['2.3.1-2', '2.2.1-3 4.3.2-1 4.3.3-1'],
  forgets: ['2.3.1-3 4.4.0-1', '4.3.2-3 4.4.0-1 4.3.3-3'],
  'repeat-without-dup': ['3.3.1-1', '3.3.1-1'],
  reversed: ['4.6.0-1', '4.6.0-1'],
  'no-pubrel': ['4.6.0-4 2.3.1-6 4.3.3-1', '4.6.0-4 2.2.1-5 4.3.3-4'],
  'publish-after-pubrel': ['4.3.3-1', '4.3.3-6'],
  'forgets-pubrel': ['4.4.0-1', '4.3.3-5 4.4.0-1'],
  'repeats-refused': ['', '4.4.0-2'],
  'no-acks': ['3.3.4-1 4.5.0-2', '3.3.4-1 4.5.0-2 4.3.2-4 4.3.3-8'],
  'acks-others': ['4.6.0-2 4.6.0-3', '4.6.0-2 4.6.0-3'],
  'acks-once': ['4.3.2-2 4.3.3-2', '4.3.2-5 4.3.3-10 4.3.3-12'],
  'pubcomp-flags': ['', '4.3.3-11'],
  'reason-codes': ['', '3.4.2-1 3.5.2-1 3.7.2-1'],
} as const satisfies Readonly<Record<string, readonly [v4: string, v5: string]>>

export type ClientFault = keyof typeof clientFaults

type Garbling = (bytes: Buffer, version: ProtocolVersion) => Uint8Array

const flagsAt = 9

const flags =
  (change: (flags: number) => number): Garbling =>
  (bytes) => {
    bytes[flagsAt] = change(bytes[flagsAt]!)
    return bytes
  }

const replaced =
  (text: string, by: string): Garbling =>
  (bytes) => {
    const at = bytes.indexOf(text)
    if (at >= 0) bytes.write(by, at, 'latin1')
    return bytes
  }

const firstByte =
  (byte: number): Garbling =>
  (bytes) => {
    bytes[0] = byte
    return bytes
  }

/** An acknowledgement with reason code 0x01, which only CONNACK of old has had. */
const oddReason: Garbling = (bytes) => Buffer.from([bytes[0]!, 3, bytes[2]!, bytes[3]!, 0x01])

const shortened: Garbling = (bytes) => {
  bytes[1] = bytes[1]! - 1
  return bytes.subarray(0, -1)
}

const withoutFilter: Garbling = (bytes, version) => {
  return Buffer.from(version === 5 ? [bytes[0]!, 3, 0, 1, 0] : [bytes[0]!, 2, 0, 1])
}

const garblings: Partial<Record<ClientFault, Partial<Record<Packet['type'], Garbling>>>> = {
  'short-connect': { connect: shortened },
  'will-qos-without-will': { connect: flags((old) => (old & 4 ? old : old | 8)) },
  'will-qos-3': { connect: flags((old) => (old & 4 ? old | 0x18 : old)) },
  'will-retain-without-will': { connect: flags((old) => (old & 4 ? old : old | 0x20)) },
  'username-without-flag': { connect: flags((old) => old & 0x7f) },
  'password-without-flag': { connect: flags((old) => old & 0xbf) },
  'bad-client-id': { connect: replaced('scripted', '\xff') },
  'bad-will-topic': { connect: replaced('will/topic', '\xff') },
  'bad-username': { connect: replaced('username', '\xff') },
  'disconnect-flags': { disconnect: firstByte(0xe1) },
  'pubrel-flags': { pubrel: firstByte(0x60) },
  'subscribe-flags': { subscribe: firstByte(0x80) },
  'unsubscribe-flags': { unsubscribe: firstByte(0xa0) },
  'bad-topic': { publish: replaced('conform/1', '\xff') },
  'wildcard-topic': { publish: replaced('conform/1', '+') },
  'bad-filter': { subscribe: replaced('conform/#', '\xff') },
  'no-filter': { subscribe: withoutFilter },
  'no-filter-left': { unsubscribe: withoutFilter },
  'wildcard-inside': { subscribe: replaced('conform/#', 'co#form/+') },
  'identifier-0': { subscribe: (bytes) => bytes.fill(0, 2, 4) },
  // The property length, 0, stands before the payload of two bytes.
  'subscription-identifier': {
    publish: (bytes) =>
      Buffer.from([bytes[0]!, bytes[1]! + 2, ...bytes.subarray(2, -3), 2, 0x0b, 1, ...bytes.subarray(-2)]),
  },
  'pubcomp-flags': { pubcomp: (bytes) => bytes.fill(0, 3, 4) },
  'reason-codes': { puback: oddReason, pubrec: oddReason, pubcomp: oddReason },
}

/** A packet as a client with this fault writes it. */
export function garbled(
  bytes: Uint8Array,
  packet: Packet,
  version: ProtocolVersion,
  fault: ClientFault | undefined,
): Uint8Array {
  const garbling = fault && garblings[fault]?.[packet.type]
  return garbling ? garbling(Buffer.from(bytes), version) : bytes
}
