import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SmallMap } from './small-map.js'

const key = fc.constantFrom<string | undefined>('a', 'b', 'c', undefined)
const step = fc.oneof(
  fc.record({ does: fc.constant('set' as const), key, value: fc.nat(9) }),
  fc.record({ does: fc.constant('delete' as const), key, value: fc.constant(0) }),
)

it('is a map, whatever is set, replaced and deleted in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const small = new SmallMap<string | undefined, number>()
      const model = new Map<string | undefined, number>()
      for (const { does, key, value } of steps) {
        if (does === 'set') {
          expect(small.set(key, value)).toBe(!model.has(key))
          model.set(key, value)
        } else expect(small.delete(key)).toBe(model.delete(key))
        const seen = new Map<string | undefined, number>()
        small.forEach((value, key) => void seen.set(key, value))
        expect([small.size, [...small], [...small.keys()], seen]).toEqual([
          model.size,
          [...model],
          [...model.keys()],
          model,
        ])
        for (const one of ['a', 'b', 'c', undefined]) {
          expect([small.has(one), small.get(one)]).toEqual([model.has(one), model.get(one)])
        }
      }
    }),
  )
})
