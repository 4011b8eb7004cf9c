import { isTopicName, type QoS } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Message } from '../../message.js'
import type { KeptMessage } from '../queue.js'
import { Batch } from './batch.js'

const qos = fc.constantFrom<QoS>(0, 1, 2)
const message = fc.record({
  topic: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }).filter(isTopicName), fc.constant('x'.repeat(65_535))),
  payload: fc.oneof(fc.uint8Array(), fc.constant(new Uint8Array(100_000).fill(7))),
  qos,
  retain: fc.boolean(),
  targets: fc.uniqueArray(fc.tuple(fc.nat(2 ** 32 - 1), qos, fc.boolean()), { selector: ([to]) => to, minLength: 1 }),
})

function plain({ message, qos, retain }: KeptMessage) {
  const { topic, payload } = message
  return { topic, payload: Buffer.from(payload).toString('hex'), published: [message.qos, message.retain], qos, retain }
}

describe('Batch', () => {
  it('gives back what was added, read while it is written, after, and from its bytes', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.integer({ min: 1, max: 100_000 }), (messages, room) => {
        const batch = new Batch(9, new Uint8Array(room))
        const expected = new Map<number, unknown[]>()
        const numbers = new Map<number, number>()
        for (const one of messages) {
          const sent = Message.of(one.topic, one.payload, one.qos, one.retain)
          for (const [session, granted, retain] of one.targets) {
            const number = (numbers.get(session) ?? 41) + 1
            numbers.set(session, number)
            batch.add(session, number, { message: sent, qos: granted, retain })
            const entry = { message: sent, qos: granted, retain, commit: 0 }
            expected.set(session, [...(expected.get(session) ?? []), plain(entry)])
            expect(plain(batch.at(session, number - 42)!)).toEqual(plain(entry))
          }
        }
        const again = Batch.from(9, Buffer.from(batch.bytes))
        for (const [session, entries] of expected) {
          for (const [index, entry] of entries.entries()) {
            expect(plain(batch.at(session, index)!)).toEqual(entry)
            expect(plain(again.at(session, index)!)).toEqual(entry)
          }
          expect(again.at(session, entries.length)).toBeUndefined()
          expect(batch.shares.get(session)).toMatchObject({ first: 42, count: entries.length, left: entries.length })
        }
        expect(new Set(again.sessions())).toEqual(new Set(expected.keys()))
      }),
      { numRuns: 60 },
    )
  })

  it('holds a message once for all it goes to', () => {
    const batch = new Batch(1, new Uint8Array(10))
    const one = Message.of('t', new Uint8Array(1000), 1)
    for (let session = 1; session <= 100; session++) batch.add(session, 1, { message: one, qos: 1, retain: false })
    expect(batch.size).toBeLessThan(1000 + 100 * 6 + 20)
  })

  it('says which commit a message waits for until it is flushed', () => {
    const batch = new Batch(5, new Uint8Array(10))
    batch.add(1, 1, { message: Message.of('t', new Uint8Array(1), 1), qos: 1, retain: false })
    expect(batch.at(1, 0)!.commit).toBe(5)
    expect(Batch.from(5, batch.bytes).at(1, 0)!.commit).toBe(0)
  })

  it('does not read on past what it does not know', () => {
    expect(() => Batch.from(5, Uint8Array.of(9, 0, 0)).at(1, 0)).toThrow('entry kind 9 at byte 0 of batch 5')
  })
})
