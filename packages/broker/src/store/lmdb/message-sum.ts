/**
 * A sum of 32 bits over `bytes[start, end)`, which tells the messages that are as they were written from those that are not
 * when the checksum of their record is wrong: of two messages that differ in one word of four bytes the sums differ.
 * It takes a quarter of the time of a CRC-32, which would be a tenth of all that a small message costs.
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
