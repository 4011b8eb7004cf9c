import { expect, it } from 'vitest'
import { Waiting } from './waiting.js'

it('Waiting bounds what all unauthenticated connections hold together', () => {
  const waiting = new Waiting(100)
  const [a, b] = [{}, {}]
  expect(waiting.holds(a, 60)).toBe(true)
  expect(waiting.holds(b, 40)).toBe(true)
  expect(waiting.holds(b, 41)).toBe(false)
  waiting.release(b)
  waiting.release(b) // a second time changes nothing
  expect(waiting.holds(b, 40)).toBe(true)
  expect(waiting.holds(a, 0)).toBe(true)
  expect(waiting.holds(b, 100)).toBe(true)
  expect(waiting.holds(a, 1)).toBe(false)
})
