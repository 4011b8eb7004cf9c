import { crc32 as native } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { crc32, sumOf, viewOf } from './checksums.js'

describe('crc32', () => {
  it('is the CRC-32 of zlib, at every length, start and seed', () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7919) >> 3)
    for (let length = 0; length < 700; length++) {
      const start = length % 13
      const part = bytes.subarray(start, start + length)
      expect(crc32(bytes, start, start + length)).toBe(native(part))
      expect(crc32(bytes, start, start + length, 0xdeadbeef)).toBe(native(part, 0xdeadbeef))
    }
  })
})

describe('sumOf', () => {
  const bytes = Uint8Array.from({ length: 103 }, (_, at) => at * 37)
  const sum = (whose = 7, number = 1): number => sumOf(whose, number, viewOf(bytes), 3, bytes.length)

  it('differs whichever bit differs, and with whose message it is and which', () => {
    const before = sum()
    for (let at = 3; at < bytes.length; at++) {
      for (let bit = 1; bit < 256; bit <<= 1) {
        bytes[at]! ^= bit
        expect(sum()).not.toBe(before)
        bytes[at]! ^= bit
      }
    }
    expect(sum()).toBe(before)
    expect(sum(8)).not.toBe(before)
    expect(sum(7, 2)).not.toBe(before)
    expect(sum(7, 1 + 2 ** 32)).not.toBe(before)
  })

  it('is of the bytes it is asked of, not of their neighbours', () => {
    const before = sum()
    bytes[2]! ^= 1
    expect(sum()).toBe(before)
  })
})
