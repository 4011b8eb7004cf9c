import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sessionKey } from './keys.js'
import { readCursor, writeCursor } from './records.js'

const key = sessionKey(7)
const most = 2 ** 48 - 1 - 2 * 65_535

describe('cursor', () => {
  it('is read as it was written', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 700 })), { maxLength: 7 })
    const record = fc.record({ head: fc.nat(most), waiting: fc.nat(65_535), bytes: fc.nat(2 ** 48 - 1), runs })
    fc.assert(
      fc.property(record, ({ head, waiting, bytes, runs: states }) => {
        const handshakes = Uint8Array.from(states.flatMap(([state, length]) => Array<number>(length).fill(state)))
        const next = head + handshakes.length
        const more = { messages: waiting, maxInflight: waiting, mayHaveSentMore: head % 2 === 0 }
        const cursor = { head, next, tail: next + waiting, bytes, handshakes, ...more }
        expect(readCursor(key, Buffer.from(writeCursor(key, cursor)))).toEqual(cursor)
      }),
    )
  })

  it('is not read when a bit of it, or its key, is another', () => {
    const cursor = {
      head: 1,
      next: 3,
      tail: 9,
      bytes: 5,
      messages: 8,
      handshakes: Uint8Array.of(1, 2),
      maxInflight: 7,
      mayHaveSentMore: true,
    }
    const record = Buffer.from(writeCursor(key, cursor))
    expect(readCursor(sessionKey(8), record)).toBeUndefined()
    for (let bit = 0; bit < record.length * 8; bit++) {
      record[bit >> 3]! ^= 1 << (bit & 7)
      expect(readCursor(key, record)).toBeUndefined()
      record[bit >> 3]! ^= 1 << (bit & 7)
    }
    expect(readCursor(key, record)).toEqual(cursor)
  })

  it('takes a few bytes for a window of equal handshakes, however wide', () => {
    const cursor = {
      head: 1,
      next: 65_536,
      tail: 65_536,
      bytes: 0,
      messages: 0,
      maxInflight: 65_535,
      handshakes: new Uint8Array(65_535).fill(1),
      mayHaveSentMore: false,
    }
    expect(writeCursor(key, cursor)).toHaveLength(44)
  })
})
