/** Where the packet that begins at `from` ends; undefined while it is not whole. */
export function frameEnd(bytes: Uint8Array, from: number): number | undefined {
  let length = 0
  for (let i = 1; i < bytes.length - from; i++) {
    const byte = bytes[from + i]!
    if (i === 5) return bytes.length
    length += (byte & 127) * 128 ** (i - 1)
    if (byte >= 128) continue
    // The longest there is can only be a lie: it is not waited for.
    if (length > 200_000_000 && bytes[from]! >> 4 !== 1) return bytes.length
    return bytes.length - from > i + length ? from + i + 1 + length : undefined
  }
  return undefined
}
