import { expect, test } from 'vitest'
import { left, right, shortened, textWidth } from './columns.js'

test.each([
  ['', 0],
  ['abc', 3],
  ['温度', 4],
  ['🌡', 1], // a sign that terminals show as text
  ['🔥', 2],
  ['e\u0301', 1],
])('%j takes %i columns', (text, columns) => {
  expect(textWidth(text)).toBe(columns)
})

test('a text is filled, or cut to fit', () => {
  expect(left('abc', 5)).toBe('abc  ')
  expect(right('abc', 5)).toBe('  abc')
  expect(left('abcdef', 5)).toBe('abcd…')
  expect(left('温度温度', 5)).toBe('温度…')
  expect(left('温度温度', 6)).toBe('温度… ')
  expect(shortened('abc', 3)).toBe('abc')
  expect([left('abc', 0), right('abc', -1)]).toEqual(['', ''])
})
