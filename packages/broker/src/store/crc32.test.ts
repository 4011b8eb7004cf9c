import { crc32 as native } from 'node:zlib'
import { expect, it } from 'vitest'
import { crc32 } from './crc32.js'

it('is the CRC-32 of zlib, at every length, start and seed', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7919) >> 3)
  for (let length = 0; length < 700; length++) {
    const start = length % 13
    const part = bytes.subarray(start, start + length)
    expect(crc32(bytes, start, start + length)).toBe(native(part))
    expect(crc32(bytes, start, start + length, 0xdeadbeef)).toBe(native(part, 0xdeadbeef))
  }
})
