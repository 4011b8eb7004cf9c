/** What a payload begins with: when it was to be sent, by whom, and its number. */
export const stampBytes = 16

/** Writes a stamp. @param time in microseconds, {@link micros}. */
export function writeStamp(bytes: Uint8Array, at: number, time: number, publisher: number, number: number): void {
  const high = Math.floor(time / 2 ** 32)
  writeU32(bytes, at, high)
  writeU32(bytes, at + 4, time - high * 2 ** 32)
  writeU32(bytes, at + 8, publisher)
  writeU32(bytes, at + 12, number)
}

export function stampTime(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4)
}

export function stampPublisher(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 8)
}

export function stampNumber(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 12)
}

// Not by DataView: payloads lie in a buffer of their own as often as in the one that is read into.
function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
