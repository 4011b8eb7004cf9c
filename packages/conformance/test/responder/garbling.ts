import type { Packet } from '@godwit/protocol'

/** Bytes on their way out, as they are unless a mutation spoils them. */
export function garble(packet: Packet, bytes: Uint8Array, mutated: (fault: string) => boolean): Uint8Array {
  for (const [fault, spoil] of Object.entries(spoils)) {
    const spoilt = spoil(packet, bytes)
    if (spoilt && mutated(fault)) return spoilt
  }
  return bytes
}

/** Undefined: this packet stays as it is. */
type Spoil = (packet: Packet, bytes: Uint8Array) => Uint8Array | undefined

/** Identifiers from here to there become another in this packet. */
const identifierOff =
  (type: Packet['type'], from: number, to: number): Spoil =>
  (packet, bytes) => {
    if (packet.type !== type || !('packetId' in packet)) return undefined
    const { packetId = 0 } = packet
    return packetId >= from && packetId <= to ? bytes.with(3, bytes[3]! ^ 1) : undefined
  }

/** A refusal in words, for one of these identifiers, has a code that is not for this packet. */
const refusalWithCode =
  (type: Packet['type'], code: number, below = 65_536): Spoil =>
  (packet, bytes) => {
    if (packet.type !== type || !('reasonCode' in packet) || !('packetId' in packet)) return undefined
    const { reasonCode = 0, packetId = 0 } = packet
    return reasonCode >= 0x80 && packetId < below && bytes.length > 30 ? bytes.with(4, code) : undefined
  }

const spoils: Readonly<Record<string, Spoil>> = {
  'dup-passed-on-at-qos-0': (packet, bytes) =>
    packet.type === 'publish' && packet.qos === 0 && packet.dup ? bytes.with(0, bytes[0]! | 8) : undefined,
  'second-unsuback-flags': (packet, bytes) =>
    packet.type === 'unsuback' && packet.packetId === 2 && packet.reasonCodes.every((code) => code > 0)
      ? bytes.with(0, 0xb1)
      : undefined,
  'pubcomp-id-off-from-0x1000': identifierOff('pubcomp', 0x1000, 0x1fff),
  'puback-id-off-from-0x2000': identifierOff('puback', 0x2000, 0x2fff),
  'pubrec-id-off-from-0x2000': identifierOff('pubrec', 0x2000, 0x2fff),
  'pubrec-id-off-from-0xf000': identifierOff('pubrec', 0xf000, 0xfffe),
  'suback-id-off-from-0x1000': identifierOff('suback', 0x1000, 0x1fff),
  'unsuback-id-off-from-0x1000': identifierOff('unsuback', 0x1000, 0x1fff),
  'unsuback-id-off-from-0xa000': identifierOff('unsuback', 0xa000, 0xafff),
  // A code of other packets, below 5.0 of none [MQTT-3.9.3-2].
  'long-filters-refused-with-0x90': (packet, bytes) =>
    packet.type === 'suback' && packet.reasonCodes.includes(0x8f) ? bytes.with(bytes.length - 1, 0x90) : undefined,
  'puback-refuses-with-1': refusalWithCode('puback', 1),
  'pubrec-refuses-with-1': refusalWithCode('pubrec', 1, 7),
  'pubrel-refuses-with-1': refusalWithCode('pubrel', 1),
  'pubcomp-refuses-with-1': refusalWithCode('pubcomp', 1),
  'auth-with-code-1': (packet, bytes) => (packet.type === 'auth' ? bytes.with(2, 1) : undefined),
  'unsuback-code-1-of-20': (packet, bytes) =>
    packet.type === 'unsuback' && packet.reasonCodes.length === 20 ? bytes.with(bytes.length - 1, 1) : undefined,
  // What stands there instead looks like a length (5.0 [MQTT-2.2.2-1]).
  'publish-of-5-without-property-length': (packet, bytes) => {
    if (packet.type !== 'publish' || packet.qos > 0 || packet.payload[0] !== 5) return undefined
    const at = bytes.length - packet.payload.length - 1
    if (bytes[at] !== 0) return undefined
    return Uint8Array.of(bytes[0]!, bytes[1]! - 1, ...bytes.subarray(2, at), ...packet.payload)
  },
}
