import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceivedIds, receivedPageOf } from './received-ids.js'

describe('ReceivedIds', () => {
  it('holds any id from 1 to 65,535, each once', () => {
    const ids = new ReceivedIds()
    for (const id of [1, 1023, 1024, 65_535, 1]) ids.add(id)
    expect([1, 2, 1023, 1024, 1025, 65_534, 65_535].map((id) => ids.has(id))).toEqual([
      ...[true, false, true, true],
      ...[false, false, true],
    ])
    expect([ids.delete(1), ids.delete(1), ids.has(1), ids.has(1023)]).toEqual([true, false, false, true])
  })

  it('behaves like a Set, also after its pages were stored and put back', () => {
    const step = fc.tuple(fc.boolean(), fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 1, max: 20 })))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ids = new ReceivedIds()
        const model = new Set<number>()
        for (const [add, id] of steps) {
          if (add) {
            ids.add(id)
            model.add(id)
          } else expect(ids.delete(id)).toBe(model.delete(id))
        }
        const restored = new ReceivedIds()
        for (const page of new Set(steps.map(([, id]) => receivedPageOf(id))))
          restored.restore(page, ids.page(page).slice())
        for (const one of [ids, restored]) {
          for (const [, id] of steps) expect(one.has(id)).toBe(model.has(id))
        }
      }),
    )
  })
})
