/** The longest fixed header, the Protocol Name and the Protocol Level. */
const enough = 12
const nameAndLevel = [0, 4, 0x4d, 0x51, 0x54, 0x54, 5]

export const noBytes: Uint8Array = new Uint8Array(0)

/** What is known of a connection's first bytes, with those of another chunk: no more than {@link beginsAs50} looks at. */
export function firstBytes(known: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (known.length >= enough) return known
  return Uint8Array.from([...known, ...chunk.subarray(0, enough - known.length)])
}

/** Whether they are the beginning of a CONNECT of 5.0, whatever is wrong with the rest of it. */
export function beginsAs50(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x10) return false
  let at = 1
  while (at < 4 && bytes[at]! > 127) at++
  return nameAndLevel.every((byte, n) => bytes[at + 1 + n] === byte)
}
