import { encodeUtf8, matchesFilter } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Message } from '../message.js'
import { RetainedMessages, type RetainedWalk } from './retained.js'

const message = (topic: string, text = 'x') => Message.of(topic, encodeUtf8(text), 0, true)
const now = () => 0
const texts = (walk: RetainedWalk): string[] =>
  [...{ [Symbol.iterator]: () => walk }].flatMap((found) =>
    found ? [`${found.topic}=${Buffer.from(found.payload)}`] : [],
  )

describe('RetainedMessages', () => {
  it('keeps the last message of a topic', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 10, maxRetainedBytes: 10_000 })
    retained.set(message('a', 'one'))
    retained.set(message('a', 'three'))
    expect(texts(retained.match('#', now))).toEqual(['a=three'])
    expect([retained.count, retained.bytes]).toEqual([1, message('a', 'three').heldBytes])
    retained.delete('a')
    retained.delete('a')
    expect([retained.count, retained.bytes, ...texts(retained.match('#', now))]).toEqual([0, 0])
  })

  it('refuses a new topic when there are enough messages, and takes a newer message of a known one', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 2, maxRetainedBytes: 10_000 })
    expect(['a', 'b', 'c'].map((topic) => retained.set(message(topic)))).toEqual([true, true, false])
    expect(retained.set(message('a', 'new'))).toBe(true)
    expect(texts(retained.match('#', now))).toEqual(['a=new', 'b=x'])
  })

  it('does not go past its bytes, and keeps no older message in place of one it refused', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 10, maxRetainedBytes: 2 * message('a').heldBytes + 3 })
    retained.set(message('a', 'aaa'))
    expect(retained.set(message('b', 'bbb'))).toBe(false)
    expect(retained.set(message('b', 'bb'))).toBe(true)
    expect(retained.set(message('b', 'bbb'))).toBe(false)
    expect(texts(retained.match('#', now))).toEqual(['a=aaa'])
    expect([retained.count, retained.bytes]).toEqual([1, message('a', 'aaa').heldBytes])
  })

  it('keeps nothing when it may hold none', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 0, maxRetainedBytes: 10_000 })
    expect([retained.set(message('a')), retained.count]).toEqual([false, 0])
  })

  it('leaves out of a match what was kept after it was made: the subscription has got that itself', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 10, maxRetainedBytes: 10_000 })
    for (const topic of ['a', 'b', 'c', 'd']) retained.set(message(topic, 'old'))
    const match = retained.match('#', now)
    expect(match.next().value?.topic).toBe('a')
    retained.set(message('b', 'new'))
    retained.delete('c')
    retained.set(message('e', 'new'))
    expect(texts(match)).toEqual(['d=old'])
    expect(texts(retained.match('#', now))).toEqual(['a=old', 'b=new', 'd=old', 'e=new'])
  })

  it('gives out nothing that has expired, and tells which topics those are', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 10, maxRetainedBytes: 10_000 })
    const brief = message('brief')
    brief.expiresAt = 1000
    retained.set(brief)
    retained.set(message('lasting'))
    expect(texts(retained.match('#', () => 999))).toEqual(['brief=x', 'lasting=x'])
    expect(texts(retained.match('#', () => 1000))).toEqual(['lasting=x'])
    expect([[...retained.expiredBy(999)], [...retained.expiredBy(1000)]]).toEqual([[], ['brief']])
    retained.set(message('brief', 'now lasting')) // a newer message has its own time
    expect([...retained.expiredBy(1000)]).toEqual([])
  })

  it('tells what has expired in the order of time, however often a topic was replaced or removed', () => {
    const retained = new RetainedMessages({ maxRetainedMessages: 1_000, maxRetainedBytes: 100_000 })
    const expiring = (topic: string, expiresAt: number) => Object.assign(message(topic), { expiresAt })
    for (let n = 0; n < 500; n++) retained.set(expiring(`t${n}`, 10_000 - n))
    for (let n = 0; n < 500; n += 2) retained.set(expiring(`t${n}`, n))
    for (let n = 0; n < 500; n += 5) retained.delete(`t${n}`)
    const gone: string[] = []
    for (const topic of retained.expiredBy(498)) {
      gone.push(topic)
      retained.delete(topic)
    }
    const left = (n: number) => n % 2 === 0 && n % 5 !== 0
    expect(gone).toEqual(
      Array.from({ length: 499 }, (_, n) => n)
        .filter(left)
        .map((n) => `t${n}`),
    )
    expect(retained.count).toBe(500 - 100 - gone.length)
  })

  it('matches as a plain list would, and counts right, whatever is set and deleted', () => {
    const topic = fc.constantFrom('a', 'a/b', 'a/b/c', 'b', '/', '$SYS/x', '$SYS', 'a/', '/b')
    const step = fc.oneof(
      fc.tuple(fc.constant('set'), topic, fc.string({ maxLength: 6 })),
      fc.tuple(fc.constant('delete'), topic, fc.constant('')),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const retained = new RetainedMessages({ maxRetainedMessages: 5, maxRetainedBytes: 450 })
        const model = new Map<string, string>()
        for (const [what, name, text] of steps) {
          if (what === 'delete') {
            retained.delete(name)
            model.delete(name)
          } else {
            const others = [...model]
              .filter(([other]) => other !== name && !other.startsWith('$SYS'))
              .map(([other, value]) => message(other, value).heldBytes)
            const bytes = others.reduce((sum, one) => sum + one, message(name, text).heldBytes)
            const fits = (others.length < 5 && bytes <= 450) || name.startsWith('$SYS')
            expect(retained.set(message(name, text))).toBe(fits)
            if (fits) model.set(name, text)
            else model.delete(name)
          }
        }
        const counted = [...model].filter(([name]) => !name.startsWith('$SYS'))
        expect(retained.count).toBe(counted.length)
        expect(retained.bytes).toBe(counted.reduce((sum, [name, text]) => sum + message(name, text).heldBytes, 0))
        for (const filter of ['#', '+', 'a/#', '+/+', '$SYS/#', '$SYS', 'a/+/c', '/+', '+/', 'b']) {
          const wanted = [...model]
            .filter(([name]) => matchesFilter(filter, name))
            .map(([name, text]) => `${name}=${text}`)
          expect(texts(retained.match(filter, now)).sort()).toEqual(wanted.sort())
        }
      }),
    )
  })
})
