import type { Packet } from '@godwit/protocol'

/** Bytes on their way out, as they are unless a mutation spoils them. */
export function garble(packet: Packet, bytes: Uint8Array, mutated: (fault: string) => boolean): Uint8Array {
  for (const [fault, spoil] of Object.entries(spoils)) {
    if (mutated(fault)) return spoil(packet, bytes) ?? bytes
  }
  return bytes
}

type Spoil = (packet: Packet, bytes: Uint8Array) => Uint8Array | undefined

/** The identifier of a packet, with these of its bits left. */
const identifierCut =
  (type: Packet['type'], mask: number): Spoil =>
  (packet, bytes) => {
    if (packet.type !== type) return undefined
    const [high = 0, low = 0] = bytes.subarray(2, 4)
    const id = ((high << 8) | low) & mask || 1
    return bytes.with(2, id >> 8).with(3, id & 255)
  }

/** A refusal has a code that is not for this packet. */
const refusalWithCode =
  (type: Packet['type'], code: number): Spoil =>
  (packet, bytes) => {
    const refuses = packet.type === type && 'reasonCode' in packet && (packet.reasonCode ?? 0) >= 0x80
    return refuses && bytes.length > 4 ? bytes.with(4, code) : undefined
  }

const spoils: Readonly<Record<string, Spoil>> = {
  'dup-passed-on-at-qos-0': (packet, bytes) =>
    packet.type === 'publish' && packet.qos === 0 && packet.dup ? bytes.with(0, bytes[0]! | 8) : undefined,
  'unsuback-flags': (packet, bytes) =>
    packet.type === 'unsuback' && packet.reasonCodes.every((code) => code > 0) ? bytes.with(0, 0xb1) : undefined,
  'pubcomp-id-12-bits': identifierCut('pubcomp', 0x0fff),
  'puback-id-12-bits': identifierCut('puback', 0x0fff),
  'pubrec-id-12-bits': identifierCut('pubrec', 0x0fff),
  'suback-id-14-bits': identifierCut('suback', 0x3fff),
  'unsuback-id-14-bits': identifierCut('unsuback', 0x3fff),
  'unsuback-id-12-bits': identifierCut('unsuback', 0x0fff),
  // A code of other packets, below 5.0 of none [MQTT-3.9.3-2].
  'long-filters-refused-with-0x90': (packet, bytes) =>
    packet.type === 'suback' && packet.reasonCodes.includes(0x8f) ? bytes.with(bytes.length - 1, 0x90) : undefined,
  'puback-refuses-with-1': refusalWithCode('puback', 1),
  'pubrec-refuses-with-1': refusalWithCode('pubrec', 1),
  'pubrel-refuses-with-1': refusalWithCode('pubrel', 1),
  'pubcomp-refuses-with-1': refusalWithCode('pubcomp', 1),
  'time-out-with-code-of-connack': (packet, bytes) =>
    packet.type === 'disconnect' && packet.reasonCode === 0x8d ? bytes.with(2, 0x85) : undefined,
  'auth-with-code-1': (packet, bytes) => (packet.type === 'auth' ? bytes.with(2, 1) : undefined),
  'unsuback-code-1': (packet, bytes) =>
    packet.type === 'unsuback' && packet.reasonCodes.includes(0x11) ? bytes.with(bytes.length - 1, 1) : undefined,
  'unsuback-without-property-length': (packet, bytes) =>
    packet.type === 'unsuback'
      ? Uint8Array.of(bytes[0]!, 3, ...bytes.subarray(2, 4), packet.reasonCodes[0]!)
      : undefined,
}
