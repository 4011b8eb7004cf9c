import { describe, expect, it } from 'vitest'
import { Remembered } from './remembered.js'

const half = 4_194_304

describe('what was read last', () => {
  function setUp() {
    const forgotten: string[] = []
    return { remembered: new Remembered<string>((entry) => void forgotten.push(entry)), forgotten }
  }

  it('is forgotten beyond a bound, what was used longest ago first', () => {
    const { remembered, forgotten } = setUp()
    for (const name of ['a', 'b']) remembered.add(name, half)
    remembered.use('a')
    remembered.add('c', half)
    expect(forgotten).toEqual(['b'])
    remembered.delete('a')
    remembered.add('d', half)
    expect(forgotten).toEqual(['b'])
  })

  it('is kept while it is pinned, and takes its room; then it is an entry like any', () => {
    const { remembered, forgotten } = setUp()
    remembered.add('a', half)
    remembered.pin('pinned', half)
    remembered.add('b', half)
    remembered.add('c', half)
    expect([forgotten, remembered.pinnedBytes]).toEqual([['a', 'b'], half])
    remembered.unpin('pinned')
    for (const name of ['d', 'e']) remembered.add(name, half)
    expect([forgotten, remembered.pinnedBytes]).toEqual([['a', 'b', 'c', 'pinned'], 0])
  })

  it('gives its room back when it is deleted, pinned or not', () => {
    const { remembered, forgotten } = setUp()
    for (const name of ['a', 'b']) remembered.pin(name, half)
    remembered.delete('a')
    remembered.unpin('a')
    remembered.add('c', half)
    expect([forgotten, remembered.pinnedBytes]).toEqual([[], half])
  })
})
