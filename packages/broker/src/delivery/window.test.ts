import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Queue } from '../store/queue.js'
import { Numbers, packetIdOf, released, sentQos1, sentQos2, settled, Window } from './window.js'

describe('Window', () => {
  it('numbers messages from 1 upward', () => {
    const window = new Window()
    expect([window.send(1), window.send(2), window.send(1)]).toEqual([1, 2, 3])
    expect([1, 2, 3].map((number) => window.state(number))).toEqual([sentQos1, sentQos2, sentQos1])
  })

  it('gives packet ids from 1 to 65,535 and then 1 again, never 0', () => {
    expect([1, 2, 65_534, 65_535, 65_536, 131_070, 131_071].map(packetIdOf)).toEqual([
      1, 2, 65_534, 65_535, 1, 65_535, 1,
    ])
  })

  it('finds the open number of a packet id on both sides of the wrap', () => {
    const window = new Window()
    for (let n = 1; n <= 65_533; n++) window.settle(window.send(1))
    const numbers = [1, 1, 1, 1].map(() => window.send(1))
    expect(numbers.map(packetIdOf)).toEqual([65_534, 65_535, 1, 2])
    expect(numbers.map((number) => window.numberOf(packetIdOf(number)))).toEqual(numbers)
    expect(window.numberOf(3)).toBe(0)
    expect(window.numberOf(65_533)).toBe(0)
  })

  it('moves its head only over settled messages, in whatever order they are acknowledged', () => {
    const window = new Window()
    for (let n = 1; n <= 3; n++) window.send(1)
    window.settle(3)
    window.settle(2)
    expect([window.head, window.inflight, window.numberOf(2), window.numberOf(3)]).toEqual([1, 1, 0, 0])
    window.settle(1)
    expect([window.head, window.next, window.inflight]).toEqual([4, 4, 0])
  })

  it('has no room while 65,535 numbers are open, though only the first is unsettled', () => {
    const window = new Window()
    for (let n = 1; n <= 65_535; n++) window.send(1)
    for (let n = 2; n <= 65_535; n++) window.settle(n)
    expect(window.inflight).toBe(1)
    expect(window.hasRoom(65_535)).toBe(false) // packet id 1 is in use, and would be next
    window.settle(1)
    expect(window.hasRoom(65_535)).toBe(true)
  })

  it('leaves a skipped number unused', () => {
    const window = new Window()
    window.skip()
    expect([window.head, window.send(1), window.inflight]).toEqual([2, 2, 1])
    expect(window.numberOf(1)).toBe(0)
  })

  it('behaves like a plain list of open messages', () => {
    const step = fc.tuple(fc.constantFrom('send 1', 'send 2', 'settle', 'release', 'skip'), fc.nat())
    fc.assert(
      fc.property(fc.nat(140_000), fc.array(step, { maxLength: 400 }), (before, steps) => {
        const window = new Window()
        for (let n = 0; n < before; n++) window.skip()
        const model = new OpenMessages(before + 1)
        for (const [what, pick] of steps) {
          act(window, model, what, pick)
          expect([window.head, window.next, window.inflight]).toEqual([model.head, model.next, model.open.size])
        }
        const ids = [...model.open.keys()].map(packetIdOf)
        expect(new Set(ids).size).toBe(ids.length) // never one in use twice [MQTT-2.3.1-4]
        expect(ids.map((id) => window.numberOf(id))).toEqual([...model.open.keys()])
        for (let number = window.head; number < window.next; number++) {
          expect(window.state(number)).toBe(model.open.get(number) ?? settled)
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** The open messages by number, with their states. */
class OpenMessages {
  next: number
  readonly open = new Map<number, number>()

  constructor(next: number) {
    this.next = next
  }

  get head(): number {
    return Math.min(this.next, ...this.open.keys())
  }

  /** One of the open numbers. */
  pick(at: number): number | undefined {
    return [...this.open.keys()][at % Math.max(1, this.open.size)]
  }
}

function act(window: Window, model: OpenMessages, what: string, pick: number): void {
  if (what === 'skip') {
    window.skip()
    model.next++
    return
  }
  if (what.startsWith('send')) {
    const qos = what === 'send 1' ? 1 : 2
    expect(window.send(qos)).toBe(model.next)
    model.open.set(model.next++, qos)
    return
  }
  const number = model.pick(pick)
  if (number === undefined) return
  if (what === 'release') {
    window.release(number)
    model.open.set(number, released)
  } else {
    window.settle(number)
    model.open.delete(number)
  }
}

describe('Numbers', () => {
  it('what is open, done, and waits', () => {
    const numbers = some()
    expect([1, 2, 3, 4].map((number) => numbers.isDone(number))).toEqual([false, true, false, false])
    expect(numbers.waiting).toBe(4)
  })

  it('numbers whose messages are gone are passed over once somebody comes to them', () => {
    const numbers = some()
    numbers.removed(2)
    expect([numbers.waiting, numbers.hasGone]).toEqual([2, true])
    expect(numbers.passGone(having(6, 7))).toBe(2)
    expect([numbers.waiting, numbers.hasGone, numbers.window.next]).toEqual([2, false, 6])
  })

  it('more is there than was counted: it is found before all numbers are passed over', () => {
    const numbers = some()
    numbers.removed(4)
    expect(numbers.waiting).toBe(0)
    numbers.passAll(having(6))
    expect([numbers.waiting, numbers.window.next]).toEqual([2, 6])
  })

  it('an earlier process has left numbers without messages', () => {
    const numbers = new Numbers()
    numbers.restore({
      ...{ head: 5, next: 6, tail: 10, handshakes: Uint8Array.of(1), maxInflight: 20, mayHaveSentMore: false },
      messages: 3,
    })
    expect([numbers.window.inflight, numbers.waiting, numbers.hasGone]).toEqual([1, 2, true])
  })
})

/** A queue that has the messages with these numbers. */
const having = (...numbers: readonly number[]): Queue =>
  ({ next: (from: number, end: number) => numbers.find((number) => number >= from) ?? end }) as Queue

/** After three were sent, of which the second is done, and four more were accepted. */
function some(): Numbers {
  const numbers = new Numbers()
  for (let sent = 0; sent < 3; sent++) numbers.window.send(1)
  numbers.window.settle(2)
  numbers.tail = 8
  return numbers
}
