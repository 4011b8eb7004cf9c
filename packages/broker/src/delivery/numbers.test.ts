import { expect, test } from 'vitest'
import type { Queue } from '../store/queue.js'
import { Numbers } from './numbers.js'

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

test('what is open, done, and waits', () => {
  const numbers = some()
  expect([1, 2, 3, 4].map((number) => numbers.isDone(number))).toEqual([false, true, false, false])
  expect(numbers.waiting).toBe(4)
})

test('numbers whose messages are gone are passed over once somebody comes to them', () => {
  const numbers = some()
  numbers.removed(2)
  expect([numbers.waiting, numbers.hasGone]).toEqual([2, true])
  expect(numbers.passGone(having(6, 7))).toBe(2)
  expect([numbers.waiting, numbers.hasGone, numbers.window.next]).toEqual([2, false, 6])
})

test('more is there than was counted: it is found before all numbers are passed over', () => {
  const numbers = some()
  numbers.removed(4)
  expect(numbers.waiting).toBe(0)
  numbers.passAll(having(6))
  expect([numbers.waiting, numbers.window.next]).toEqual([2, 6])
})

test('an earlier process has left numbers without messages', () => {
  const numbers = new Numbers()
  numbers.restore({
    ...{ head: 5, next: 6, tail: 10, handshakes: Uint8Array.of(1), maxInflight: 20, mayHaveSentMore: false },
    messages: 3,
  })
  expect([numbers.window.inflight, numbers.waiting, numbers.hasGone]).toEqual([1, 2, true])
})
