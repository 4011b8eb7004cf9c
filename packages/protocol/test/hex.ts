import { type Packet, ProtocolError } from '../src/index.js'

/** Bytes from hex with spaces as one likes; text in single quotes stands for its UTF-8: `0004 'MQTT' 04`. */
export function bytes(hex: string): Uint8Array {
  const parts = hex.split(/'([^']*)'/)
  const digits = parts.map((part, at) => (at % 2 === 1 ? Buffer.from(part).toString('hex') : part.replace(/\s/g, '')))
  const whole = digits.join('')
  if (!/^([0-9a-f]{2})*$/.test(whole)) throw new Error(`not hex: ${hex}`)
  return new Uint8Array(Buffer.from(whole, 'hex'))
}

export function hexOf(data: Uint8Array): string {
  return Buffer.from(data).toString('hex')
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A packet as a plain object of its own: no class, no view of what was received, nothing that is undefined. */
export function plain(packet: Packet): Packet {
  const { type } = packet
  if (type !== 'publish') return packet
  const { topic, qos, retain, dup, packetId, properties } = packet
  const payload = new Uint8Array(packet.payload)
  const rest = { ...(packetId !== undefined && { packetId }), ...(properties && { properties }) }
  return { type, topic, payload, qos, retain, dup, ...rest }
}

/** What it gives, or the ProtocolError it throws; any other error goes on. */
export function attempt<T>(action: () => T): T | ProtocolError {
  try {
    return action()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}
