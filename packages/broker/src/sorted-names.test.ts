import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SortedNames } from './sorted-names.js'

describe('SortedNames', () => {
  it('lists what a sorted list would, from any name on', () => {
    const name = fc.string({ maxLength: 2 })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), name), { maxLength: 100 }), name, (steps, from) => {
        const names = new SortedNames()
        const model = new Set<string>()
        for (const [isAdded, one] of steps) {
          if (!isAdded) names.delete(one)
          else if (!model.has(one)) names.add(one)
          if (isAdded) model.add(one)
          else model.delete(one)
        }
        expect([...names.from(from)]).toEqual([...model].sort().filter((one) => one >= from))
      }),
    )
  })

  it('does so among many, whatever the order in which they come and go', () => {
    const names = new SortedNames()
    const all = Array.from({ length: 20_000 }, (_, at) => `n${(at * 7_919) % 20_000}`)
    for (const one of all) names.add(one)
    expect([...names.from('')]).toEqual(all.toSorted())
    for (const [at, one] of all.entries()) if (at % 3 > 0) names.delete(one)
    expect([...names.from('n5')]).toEqual(all.filter((one, at) => at % 3 === 0 && one >= 'n5').sort())
    for (const one of all) names.delete(one)
    expect([...names.from('')]).toEqual([])
  })
})
