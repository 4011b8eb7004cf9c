import { expect, test } from 'vitest'
import type { LogLine } from './answers.js'
import { joined, mostLines } from './log-lines.js'

const line = (ms: number, message: string): LogLine => ({
  at: new Date(ms).toISOString(),
  level: 'info',
  message,
  fields: { n: ms },
})

test('what was asked for and what was told are one log, with each line once', () => {
  const [a, b, c, d] = [line(1, 'a'), line(2, 'b'), line(2, 'c'), line(3, 'd')] as const
  expect(joined([a, b], [b, c, d])).toEqual([a, b, c, d])
  expect(joined([a, b, c, d], [a, b])).toEqual([a, b, c, d])
  expect(joined([], [a])).toEqual([a])
})

test('what was told before the oldest that was asked for stays away', () => {
  expect(joined([line(5, 'late')], [line(1, 'early'), line(6, 'later')])).toEqual([line(5, 'late'), line(6, 'later')])
})

test('where so much was told that the first of it has gone, what was asked for is let go too', () => {
  const many = Array.from({ length: mostLines }, (_, n) => line(1_000 + n, 'told'))
  expect(joined([line(1, 'old')], many)).toEqual(many)
})
