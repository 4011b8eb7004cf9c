import { expect, test } from 'vitest'
import { bytes, count, duration, milliseconds, plain, until } from './format.js'

test.each([
  [0, '0'],
  [0.25, '0.3'],
  [9.96, '10'],
  [12.4, '12'],
  [1_234_567, '1,234,567'],
])('count(%d) is %s', (value, text) => {
  expect(count(value)).toBe(text)
})

test.each([
  [0, '0 B'],
  [1_023, '1,023 B'],
  [1_536, '1.5 KiB'],
  [5 * 2 ** 40, '5 TiB'],
])('bytes(%d) is %s', (value, text) => {
  expect(bytes(value)).toBe(text)
})

test.each([
  [0, '0 s'],
  [59.9, '59 s'],
  [60, '1 min'],
  [3_600, '1 h'],
  [11_100, '3 h 5 min'],
  [187_200, '2 d 4 h'],
  [-5, '0 s'],
])('duration(%d) is %s', (value, text) => {
  expect(duration(value)).toBe(text)
})

test.each([
  [0.0012, '1.2 ms'],
  [0.25, '250 ms'],
  [1.5, '1.5 s'],
])('milliseconds(%d) is %s', (value, text) => {
  expect(milliseconds(value)).toBe(text)
})

test('until() counts down to a time, and no further than to it', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(until('2026-01-01T01:00:00Z', now)).toBe('1 h')
  expect(until('2025-12-31T00:00:00Z', now)).toBe('0 s')
})

test('what cannot be seen, or turns the text around, is written out', () => {
  expect(plain('a\u202eb\u0000c\u200bd\n<b>é🔥')).toBe('a\\u{202e}b\\u{0}c\\u{200b}d\\u{a}<b>é🔥')
})
