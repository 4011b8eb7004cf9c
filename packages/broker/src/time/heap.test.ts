import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heap } from './heap.js'

interface Item {
  readonly due: number
  at: number
}

const itemHeap = (): Heap<Item> =>
  new Heap<Item>(
    (one, other) => one.due < other.due,
    (item, at) => {
      item.at = at
    },
  )

/** Does one step to the heap and to a plain list of what is in it. */
function step(heap: Heap<Item>, items: Item[], what: string, number: number): void {
  if (what === 'add') {
    const item = { due: number, at: -1 }
    items.push(item)
    heap.add(item)
  } else if (what === 'take') {
    const taken = heap.take()
    expect(taken?.due).toBe(items.length > 0 ? Math.min(...items.map(({ due }) => due)) : undefined)
    if (taken) items.splice(items.indexOf(taken), 1)
  } else if (items.length > 0) {
    const [item] = items.splice(number % items.length, 1)
    heap.removeAt(item!.at)
  }
}

describe('Heap', () => {
  it('gives back the first of what is in it, whatever was added and taken out', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('add', 'take', 'remove'), fc.nat(50)), { maxLength: 200 })
    fc.assert(
      fc.property(steps, (all) => {
        const heap = itemHeap()
        const items: Item[] = []
        for (const [what, number] of all) {
          step(heap, items, what, number)
          expect(heap.size).toBe(items.length)
        }
      }),
    )
  })

  it('compares a logarithm of times, also for what comes in descending order', () => {
    let compared = 0
    const heap = new Heap<number>((one, other) => {
      compared++
      return one < other
    })
    for (let number = 65_535; number > 0; number--) heap.add(number)
    for (let number = 1; number <= 65_535; number++) expect(heap.take()).toBe(number)
    expect(compared).toBeLessThan(65_535 * 2 * 2 * 16)
  })
})
