import { crc32 as native } from 'node:zlib'

/** Above this, the call into native code costs less than the loop (Node 20). */
const loopBytes = 320

/** Four tables of 256 entries: the loop takes four bytes a step. */
const tables = makeTables()

/** The CRC-32 of `bytes[start, end)`; `seed` is the CRC-32 of what comes before. The polynomial of zlib and Ethernet. */
export function crc32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  if (end - start > loopBytes) return native(bytes.subarray(start, end), seed)
  let crc = ~seed
  let at = start
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      tables[768 + (crc & 255)]! ^
      tables[512 + ((crc >>> 8) & 255)]! ^
      tables[256 + ((crc >>> 16) & 255)]! ^
      tables[crc >>> 24]!
  }
  for (; at < end; at++) crc = tables[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Int32Array {
  const made = new Int32Array(1024)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < 1024; at++) made[at] = (made[at - 256]! >>> 8) ^ made[made[at - 256]! & 255]!
  return made
}
