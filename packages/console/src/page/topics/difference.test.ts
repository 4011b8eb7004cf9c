import { expect, test } from 'vitest'
import { difference } from './difference.js'

const shown = (before: string, after: string): string =>
  difference(before, after)
    .map(({ mark, text }) => mark + text)
    .join('|')

test.each([
  ['a', 'a', ' a'],
  ['a', 'b', '-a|+b'],
  ['{\n1\n2\n}', '{\n1\n3\n}', ' {| 1|-2|+3| }'],
  ['a\nb', 'b\nc', '-a| b|+c'],
  ['', 'a', '-|+a'],
])('from %j to %j', (before, after, lines) => {
  expect(shown(before, after)).toBe(lines)
})

test('of long texts is the later one', () => {
  const long = 'x\n'.repeat(1_000)
  expect(shown(long, `${long}y`).startsWith(' x| x')).toBe(true)
})
