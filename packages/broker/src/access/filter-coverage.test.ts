import { matchesFilter } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, overlap } from './filter-coverage.js'

const names = ['a', 'b', '', '$x', 'other', '$other'] // `other` and `$other` are in no filter: what only wildcards match
const topics = [1, 2, 3, 4, 5].flatMap((depth) =>
  Array.from({ length: names.length ** depth }, (_, n) =>
    Array.from({ length: depth }, (_, at) => names[Math.floor(n / names.length ** at) % names.length]!).join('/'),
  ),
)

const level = fc.constantFrom('a', 'b', '', '$x', '+', '+')
const filter = fc
  .tuple(fc.array(level, { maxLength: 3 }), fc.boolean())
  .map(([levels, rest]) => (rest || levels.length === 0 ? [...levels, '#'] : levels))
  .filter((levels) => levels.join('/') !== '')

const topicsOf = (levels: readonly string[]): string[] =>
  topics.filter((topic) => matchesFilter(levels.join('/'), topic))

describe('against every topic of a small world', () => {
  it('covers: each topic of the one is a topic of the other (section 4.7)', () => {
    fc.assert(
      fc.property(filter, filter, (wide, narrow) => {
        const all = topicsOf(narrow).every((topic) => matchesFilter(wide.join('/'), topic))
        expect(covers(wide, narrow)).toBe(all)
      }),
      { numRuns: 500 },
    )
  })

  it('overlap: some topic is a topic of both', () => {
    fc.assert(
      fc.property(filter, filter, (one, other) => {
        expect(overlap(one, other)).toBe(topicsOf(one).some((topic) => matchesFilter(other.join('/'), topic)))
      }),
      { numRuns: 500 },
    )
  })
})

describe('covers', () => {
  it.each([
    ['a/#', 'a', true], // `#` is its parent too
    ['#', '$SYS/#', false], // [MQTT-4.7.2-1]
    ['+/x', '$a/x', false],
    ['+/#', '#', true],
    ['+/+/#', '#', false],
    ['a/+/#', 'a/#', false],
    ['a/+', 'a/#', false],
  ])('%s over %s: %s', (wide, narrow, answer) => {
    expect(covers(wide.split('/'), narrow.split('/'))).toBe(answer)
  })
})
