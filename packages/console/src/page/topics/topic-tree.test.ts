import { describe, expect, test } from 'vitest'
import { rowsOf, TopicTree, type TreeBounds, type Value } from './topic-tree.js'

const text = new TextEncoder()
const value = (payload: string, more: Partial<Value> = {}): Value => ({
  at: 0,
  payload: text.encode(payload),
  qos: 0,
  retain: false,
  contentType: undefined,
  ...more,
})

function treeOf(messages: readonly (readonly [string, string])[], bounds?: Partial<TreeBounds>): TopicTree {
  const tree = new TopicTree({ topics: 100, bytes: 1_000_000, values: 10, ...bounds })
  for (const [topic, payload] of messages) tree.add(topic, value(payload))
  return tree
}

const valuesOf = (tree: TopicTree, topic: string): string[] | undefined =>
  tree.find(topic)?.values.map(({ payload }) => new TextDecoder().decode(payload))

describe('a tree of topics', () => {
  test('has a node a level, with what is at and below it', () => {
    const tree = treeOf([
      ['house/attic/temp', '1'],
      ['house/attic/temp', '2'],
      ['house/attic', '3'],
      ['house/cellar/temp', '4'],
    ])
    const house = tree.root.children.get('house')!
    expect([tree.topics, house.topics, house.messages]).toEqual([3, 3, 4])
    expect(house.children.get('attic')).toMatchObject({ topic: 'house/attic', topics: 2, messages: 3 })
    expect(valuesOf(tree, 'house/attic/temp')).toEqual(['1', '2'])
    expect(valuesOf(tree, 'house')).toBeUndefined()
  })

  test('takes empty levels and names that objects have', () => {
    const tree = treeOf([
      ['/a', '1'],
      ['a//b', '2'],
      ['__proto__/constructor', '3'],
    ])
    expect(['/a', 'a//b', '__proto__/constructor'].map((topic) => valuesOf(tree, topic))).toEqual([['1'], ['2'], ['3']])
    expect(tree.root.children.size).toBe(3)
  })

  test('shows what is opened, by name, numbers in their order', () => {
    const tree = treeOf([
      ['b/2', ''],
      ['b/10', ''],
      ['b/1', ''],
      ['a/x', ''],
    ])
    const shown = (...opened: string[]) =>
      rowsOf(tree.root, new Set(opened)).map(({ node, depth }) => `${depth} ${node.topic}`)
    expect(shown()).toEqual(['0 a', '0 b'])
    expect(shown('b')).toEqual(['0 a', '0 b', '1 b/1', '1 b/2', '1 b/10'])
  })

  test('knows what is retained', () => {
    const tree = treeOf([])
    tree.add('a', value('x', { retain: true }))
    expect(tree.find('a')?.isRetained).toBe(true)
    tree.add('a', value('y'))
    expect(tree.find('a')?.isRetained).toBe(true)
    tree.add('a', value('', { retain: true }))
    expect(tree.find('a')?.isRetained).toBe(false)
  })
})

describe('its memory is bounded', () => {
  test('a topic has so many values', () => {
    const tree = treeOf(
      ['1', '2', '3', '4', '5'].map((n) => ['a', n]),
      { values: 3 },
    )
    expect(valuesOf(tree, 'a')).toEqual(['3', '4', '5'])
    expect(tree.dropped.values).toBe(2)
  })

  test('older values go first, but the last of each topic', () => {
    const large = 'x'.repeat(1_000)
    const messages = ['a', 'b', 'a', 'b', 'a', 'b'].map((topic) => [topic, large] as const)
    const tree = treeOf(messages, { bytes: 5_000 })
    expect(tree.bytes).toBeLessThanOrEqual(5_000)
    expect([valuesOf(tree, 'a')?.length, valuesOf(tree, 'b')?.length]).toEqual([1, 2])
    expect(tree.dropped).toEqual({ values: 3, topics: 0 })
  })

  test('then quiet topics, with the levels that nothing is below any more', () => {
    const tree = treeOf(
      [
        ['quiet/one', '1'],
        ['busy', '1'],
        ['quiet/two', '1'],
        ['busy', '2'],
        ['new', '1'],
      ],
      { topics: 2 },
    )
    expect([...tree.all()].map(({ topic }) => topic)).toEqual(['busy', 'new'])
    expect([...tree.root.children.keys()]).toEqual(['busy', 'new'])
    expect(tree.dropped.topics).toBe(2)
    expect(tree.root.topics).toBe(2)
  })

  test('whatever comes: 50,000 messages to 5,000 topics, and what is counted is there', () => {
    const tree = new TopicTree({ topics: 1_000, bytes: 2_000_000, values: 5 })
    for (let n = 0; n < 50_000; n++) tree.add(`t/${(n * 7919) % 5_000}/${n % 3}`, value('x'.repeat(n % 2_000)))
    const nodes = [...tree.all()]
    expect(tree.bytes).toBeLessThanOrEqual(2_000_000)
    expect(nodes.length).toBeLessThanOrEqual(1_000)
    expect(tree.root.topics).toBe(nodes.length)
    const held = nodes.reduce(
      (sum, { values }) => sum + 400 + values.reduce((all, { payload }) => all + payload.length + 120, 0),
      0,
    )
    expect(tree.bytes).toBe(held)
  })

  test('and it can be forgotten', () => {
    const tree = treeOf([['a/b', '1']])
    tree.clear()
    expect([tree.topics, tree.bytes, tree.root.children.size]).toEqual([0, 0, 0])
  })
})
