import { encodeUtf8 } from '@godwit/protocol'

/** Bytes from hex; spaces are for the reader. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error(`not hex: ${hex}`)
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** Bytes as hex, shortened in the middle when there are more than 48. */
export function toHex(bytes: Uint8Array): string {
  const hex = (part: Uint8Array): string => Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
  if (bytes.length <= 48) return hex(bytes)
  return `${hex(bytes.subarray(0, 32))} … ${hex(bytes.subarray(-8))} (${bytes.length} bytes)`
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255)
}

/** A field with its length in front; hand it bytes where the text is to be ill-formed. */
export function field(content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? encodeUtf8(content) : content
  return concat(u16(bytes.length), bytes)
}

/** A control packet whose first byte and body are the caller's, right or wrong. */
export function packetBytes(firstByte: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = concat(...body)
  const length: number[] = []
  let left = content.length
  do {
    const low = left % 128
    left = Math.floor(left / 128)
    length.push(left > 0 ? low | 128 : low)
  } while (left > 0)
  return concat(Uint8Array.of(firstByte, ...length), content)
}

export interface ConnectParts {
  /** Default 0x10. */
  readonly firstByte?: number
  /** Default MQTT. */
  readonly protocolName?: string | Uint8Array
  /** Default 4. */
  readonly level?: number
  /** Connect flags; default 0x02, Clean Session. */
  readonly flags?: number
  /** Whole fields of the payload, in order. */
  readonly payload: readonly Uint8Array[]
}

/** A CONNECT with every part at the caller's choice: for those no encoder would write. */
export function connectBytes(parts: ConnectParts): Uint8Array {
  const { firstByte = 0x10, protocolName = 'MQTT', level = 4, flags = 0x02, payload } = parts
  return packetBytes(firstByte, field(protocolName), Uint8Array.of(level, flags), u16(60), ...payload)
}
