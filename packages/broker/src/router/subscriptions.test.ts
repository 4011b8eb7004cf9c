import { isTopicFilter, isTopicName, matchesFilter, type QoS } from '@godwit/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noCommit } from '../commit.js'
import { type Grant, plainGrant, type Subscriber } from './subscriber.js'
import { Subscriptions } from './subscriptions.js'

const nobody = (): Subscriber => ({ clientId: 'c', durable: false, deliver: () => noCommit, onFault: () => {} })

const grant = (terms: Partial<Grant>): Grant => ({ ...plainGrant(0), ...terms })

describe('Subscriptions', () => {
  it('gives a subscriber once for overlapping filters, at the highest QoS granted', () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [nobody(), nobody()]
    subscriptions.add('a/#', one, plainGrant(0))
    subscriptions.add('a/+', one, plainGrant(2))
    subscriptions.add('a/b', one, plainGrant(1))
    subscriptions.add('a/b', other, plainGrant(0))
    expect(new Map(subscriptions.match('a/b').map(({ subscriber, qos }) => [subscriber, qos]))).toEqual(
      new Map([
        [one, 2],
        [other, 0],
      ]),
    )
    expect(subscriptions.match('a/b')).toHaveLength(2)
  })

  it('brings the identifiers of all filters that match, and Retain As Published if one asks for it', () => {
    const subscriptions = new Subscriptions()
    const one = nobody()
    subscriptions.add('a/#', one, grant({ identifier: 7 }))
    subscriptions.add('a/+', one, grant({ retainAsPublished: true }))
    subscriptions.add('a/b', one, grant({ identifier: 9 }))
    expect(subscriptions.match('a/b')).toEqual([
      { subscriber: one, qos: 0, retainAsPublished: true, identifiers: [7, 9], own: 'same', isBridge: false },
    ])
    expect(subscriptions.match('a')[0]?.identifiers).toEqual([7])
  })

  it('leaves filters with No Local out of the terms for own messages', () => {
    const subscriptions = new Subscriptions()
    const one = nobody()
    subscriptions.add('a/#', one, grant({ qos: 1, identifier: 7 }))
    subscriptions.add('a/b', one, grant({ qos: 2, noLocal: true, identifier: 9 }))
    const [match] = subscriptions.match('a/b')
    expect([match?.qos, match?.identifiers]).toEqual([2, [7, 9]])
    expect(match?.own).toEqual({ qos: 1, retainAsPublished: false, identifiers: [7] })
    subscriptions.delete('a/#', one)
    expect(subscriptions.match('a/b')[0]?.own).toBeUndefined()
  })

  it('holds a subscriber once for each filter', () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [nobody(), nobody()]
    subscriptions.add('a', one, plainGrant(0))
    subscriptions.add('a', one, plainGrant(1)) // replaced
    subscriptions.add('a', other, plainGrant(1))
    expect(subscriptions.match('a')).toHaveLength(2)
    subscriptions.delete('b', one)
    subscriptions.delete('a', one)
    subscriptions.delete('a', one)
    expect(subscriptions.match('a')).toHaveLength(1)
  })

  it('leaves a list of matches that is being walked alone', () => {
    const subscriptions = new Subscriptions()
    const [one, other] = [nobody(), nobody()]
    subscriptions.add('a', one, plainGrant(0))
    subscriptions.add('a', other, plainGrant(0))
    const seen = subscriptions.match('a').map(({ subscriber }) => {
      subscriptions.delete('a', other)
      return subscriber
    })
    expect(seen).toEqual([one, other])
    expect(subscriptions.match('a')).toHaveLength(1)
  })

  it('remembers short topics, and no long ones: clients choose how many there are', () => {
    const subscriptions = new Subscriptions()
    subscriptions.add('#', nobody(), plainGrant(0))
    const [short, long] = ['a'.repeat(256), 'a'.repeat(257)]
    expect(subscriptions.match(short)).toBe(subscriptions.match(short))
    expect(subscriptions.match(long)).not.toBe(subscriptions.match(long))
    expect(subscriptions.match(long)).toHaveLength(1)
  })

  it('forgets, when it remembers too much', () => {
    const subscriptions = new Subscriptions()
    subscriptions.add('#', nobody(), plainGrant(0))
    const first = subscriptions.match('0')
    for (let n = 1; n <= 250_001; n++) subscriptions.match(`${n}`)
    expect(subscriptions.match('0')).not.toBe(first)
  })

  it('answers as a plain list of filters would, however subscriptions change between the questions', () => {
    const level = fc.constantFrom('a', 'b', '', '$x')
    const topic = fc
      .array(level, { minLength: 1, maxLength: 3 })
      .map((levels) => levels.join('/'))
      .filter(isTopicName)
    const filter = fc
      .array(fc.oneof(level, fc.constantFrom('+', '#')), { minLength: 1, maxLength: 3 })
      .map((levels) => levels.join('/'))
      .filter(isTopicFilter)
    const who = fc.nat(2)
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), filter, who, granted: fc.constantFrom<QoS>(0, 1, 2) }),
      fc.record({ do: fc.constant('delete' as const), filter, who }),
      fc.record({ do: fc.constant('match' as const), topic }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const subscriptions = new Subscriptions()
        const subscribers = [nobody(), nobody(), nobody()]
        const model = new PlainList()
        for (const one of steps) {
          if (one.do === 'add') {
            subscriptions.add(one.filter, subscribers[one.who]!, plainGrant(one.granted))
            model.list.set(`${one.who} ${one.filter}`, one.granted)
          } else if (one.do === 'delete') {
            subscriptions.delete(one.filter, subscribers[one.who]!)
            model.list.delete(`${one.who} ${one.filter}`)
          } else {
            const found = subscriptions.match(one.topic)
            const byNumber = found.map(({ subscriber, qos }) => [subscribers.indexOf(subscriber), qos])
            expect(byNumber.sort()).toEqual(model.match(one.topic))
          }
        }
      }),
      { numRuns: 400 },
    )
  })
})

/** Subscriptions as `who filter` and grant. */
class PlainList {
  readonly list = new Map<string, QoS>()

  /** Who gets a message to this topic, each once, with the highest grant. */
  match(topic: string): number[][] {
    const highest = new Map<number, number>()
    for (const [key, granted] of this.list) {
      const who = Number(key[0])
      if (matchesFilter(key.slice(2), topic)) highest.set(who, Math.max(granted, highest.get(who) ?? 0))
    }
    return [...highest].sort()
  }
}
