import { encode, type Packet, type ProtocolVersion, reasonName } from '@godwit/protocol'
import { Framer, type Received } from './framer.js'
import { toHex } from './raw-packets.js'
import { decodeUtf8 } from './text.js'

/** A packet in words: its name as the standard writes it, and what matters in it. */
export function describe(packet: Packet): string {
  const details = Object.entries(packet)
    .filter(([key, value]) => key !== 'type' && value !== undefined && value !== false)
    .map(([key, value]) => `${key} ${describeValue(key, value)}`)
  return [packet.type.toUpperCase(), ...details].join(', ')
}

/** A value of a packet's field in words. */
export function describeValue(key: string, value: unknown): string {
  if (value instanceof Uint8Array) return describePayload(value)
  if (key === 'reasonCode' && typeof value === 'number')
    return `0x${value.toString(16).padStart(2, '0')} (${reasonName(value)})`
  return JSON.stringify(value)
}

function describePayload(payload: Uint8Array): string {
  return payload.length <= 64 ? JSON.stringify(decodeUtf8(payload)) : `of ${payload.length} bytes`
}

/** What has come, in words and hex. */
export function inWords({ packet, problem, bytes }: Received): string {
  return `${packet ? describe(packet) : `bytes that are no packet: ${problem}`} [${toHex(bytes)}]`
}

/** Bytes of a packet in words and hex, or as hex alone where they are none. */
export function bytesInWords(bytes: Uint8Array, version: ProtocolVersion): string {
  const [received] = new Framer(version).push(bytes)
  return received?.packet ? inWords(received) : toHex(bytes)
}

/** A packet on its way to the server. Reports are shown around, so a password is not in them, nor in the hex. */
export function sentInWords(packet: Packet, version: ProtocolVersion): string {
  const isSecret = packet.type === 'connect' && packet.password !== undefined
  const shown = isSecret ? { ...packet, password: packet.password.map(() => asterisk) } : packet
  return inWords({ packet: shown, bytes: encode(shown, version) })
}

const asterisk = 0x2a
