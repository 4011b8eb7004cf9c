import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCursor, writeCursor } from './cursor.js'

const most = 2 ** 48 - 1 - 2 * 65_535

describe('cursor', () => {
  it('is read as it was written', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 700 })), { maxLength: 7 })
    const record = fc.record({ head: fc.nat(most), waiting: fc.nat(65_535), bytes: fc.nat(2 ** 48 - 1), runs })
    fc.assert(
      fc.property(record, ({ head, waiting, bytes, runs: states }) => {
        const handshakes = Uint8Array.from(states.flatMap(([state, length]) => Array<number>(length).fill(state)))
        const next = head + handshakes.length
        const cursor = { head, next, tail: next + waiting, bytes, handshakes, mayHaveSentMore: head % 2 === 0 }
        expect(readCursor(writeCursor(cursor))).toEqual(cursor)
      }),
    )
  })

  it('takes a few bytes for a window of equal handshakes, however wide', () => {
    const cursor = {
      head: 1,
      next: 65_536,
      tail: 65_536,
      bytes: 0,
      handshakes: new Uint8Array(65_535).fill(1),
      mayHaveSentMore: false,
    }
    expect(writeCursor(cursor)).toHaveLength(30)
  })
})
