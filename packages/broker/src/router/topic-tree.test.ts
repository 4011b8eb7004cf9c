import { isTopicFilter, isTopicName, matchesFilter } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchFilter, matchTopic, TopicTree } from './topic-tree.js'

const level = fc.constantFrom('a', 'b', '', '$x', 'long level')
const topic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter(isTopicName)
const filter = fc
  .array(fc.oneof(level, fc.constantFrom('+', '#')), { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter(isTopicFilter)

function treeOf(paths: readonly string[]): TopicTree<string> {
  const tree = new TopicTree<string>()
  for (const path of paths) tree.getOrSet(path, () => path)
  return tree
}

describe('TopicTree', () => {
  it('finds a value by its whole path only', () => {
    const tree = treeOf(['a/b'])
    expect([tree.get('a/b'), tree.get('a'), tree.get('a/b/c'), tree.get('')]).toEqual([
      'a/b',
      undefined,
      undefined,
      undefined,
    ])
  })

  it('keeps the first value of a path', () => {
    const tree = treeOf(['a'])
    expect(tree.getOrSet('a', () => 'another')).toBe('a')
  })

  it('leaves nothing behind once all is deleted, in whatever order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), fc.func(fc.nat()), (paths, order) => {
        const tree = treeOf(paths)
        const rest = new Set(paths)
        for (const path of [...paths].sort((one, other) => order(one) - order(other))) {
          tree.delete(path)
          rest.delete(path)
          for (const other of paths) expect(tree.get(other)).toBe(rest.has(other) ? other : undefined)
        }
        expect(tree.root).toEqual({ value: undefined, children: undefined })
      }),
    )
  })

  it('is not changed by deleting what is not there', () => {
    const tree = treeOf(['a/b'])
    for (const path of ['a', 'a/b/c', 'x', '']) tree.delete(path)
    expect(tree.get('a/b')).toBe('a/b')
  })

  it('matchTopic gives the filters that match, each once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filter, { maxLength: 20 }), topic, (filters, name) => {
        const found: string[] = []
        matchTopic(treeOf(filters), name, (value) => found.push(value))
        expect(found.sort()).toEqual(filters.filter((one) => matchesFilter(one, name)).sort())
      }),
      { numRuns: 500 },
    )
  })

  it('matchFilter lets its reader think after a few nodes, whether it has found something or not', () => {
    const topics = Array.from({ length: 10_000 }, (_, at) => `a/${at}/b`)
    const tree = treeOf(topics)
    for (const [one, most] of [
      ['+/+/no', 1_300],
      ['#', 30_000],
      ['a/#', 30_000],
      ['a/77/b', 1],
      ['b/+', 1],
    ] as const) {
      let steps = 0
      let found = 0
      for (const value of matchFilter(tree, one)) {
        steps++
        if (value !== undefined) found++
      }
      expect(found).toBe(topics.filter((topic) => matchesFilter(one, topic)).length)
      expect(steps).toBeGreaterThanOrEqual(most === 1 ? 0 : 10_000 / 16)
      expect(steps).toBeLessThanOrEqual(most)
    }
  })

  it('matchFilter gives the topics that match, each once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(topic, { maxLength: 20 }), filter, (topics, one) => {
        const found = [...matchFilter(treeOf(topics), one)].filter((value) => value !== undefined)
        expect(found.sort()).toEqual(topics.filter((name) => matchesFilter(one, name)).sort())
      }),
      { numRuns: 500 },
    )
  })
})
