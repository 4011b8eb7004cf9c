import { crc32 as native } from 'node:zlib'

/** Above this, the call into native code costs less than the loop (Node 20). */
const loopBytes = 320

/** Eight tables of 256 entries, one after another: the loop takes eight bytes a step. */
const tables = makeTables()

/** The CRC-32 of `bytes[start, end)`; `seed` is the CRC-32 of what comes before. The polynomial of zlib and Ethernet. */
export function crc32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  if (end - start > loopBytes) return native(bytes.subarray(start, end), seed)
  let crc = ~seed
  let at = start
  for (; at + 8 <= end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      tables[1792 + (crc & 255)]! ^
      tables[1536 + ((crc >>> 8) & 255)]! ^
      tables[1280 + ((crc >>> 16) & 255)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = tables[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Int32Array {
  const made = new Int32Array(2048)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < 2048; at++) made[at] = (made[at - 256]! >>> 8) ^ made[made[at - 256]! & 255]!
  return made
}

/**
 * A sum of 32 bits over `bytes[start, end)`. Where the checksum of a record is wrong, it says which of its messages are as they were
 * written: of two that differ in one word of four bytes the sums differ. A CRC-32 would take four times as long, a tenth of all that a
 * small message costs.
 * @param whose the session, @param number which of its messages: one that is found in another's place has another sum.
 */
export function sumOf(whose: number, number: number, bytes: DataView, start: number, end: number): number {
  // Two lanes, since each step of one waits for the step before.
  let one = Math.imul(whose, primeOne)
  let other = Math.imul(number | 0, primeTwo) ^ (number / 0x1_0000_0000)
  let at = start
  for (; at + 8 <= end; at += 8) {
    one = Math.imul(one ^ bytes.getInt32(at), primeOne)
    one ^= one >>> 15
    other = Math.imul(other ^ bytes.getInt32(at + 4), primeTwo)
    other ^= other >>> 13
  }
  one = Math.imul(one, primeTwo) ^ other
  for (; at < end; at++) one = Math.imul(one ^ bytes.getUint8(at), primeOne)
  one = Math.imul(one ^ (one >>> 16), primeTwo)
  return (one ^ (one >>> 13)) >>> 0
}

const primeOne = 0x9e3779b1
const primeTwo = 0x85ebca6b

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
