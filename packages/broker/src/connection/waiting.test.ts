import { expect, it } from 'vitest'
import { Waiting } from './waiting.js'

it('Waiting bounds what all unauthenticated connections hold together', () => {
  const refused: string[] = []
  const waiting = new Waiting(100, { refused: (reason, address) => void refused.push(`${reason} ${address}`) })
  const [a, b] = [{ peer: { address: 'A' } }, { peer: { address: 'B' } }]
  expect(waiting.holds(a, 60)).toBe(true)
  expect(waiting.holds(b, 40)).toBe(true)
  expect(waiting.holds(b, 41)).toBe(false)
  waiting.release(b)
  waiting.release(b) // a second time changes nothing
  expect(waiting.holds(b, 40)).toBe(true)
  expect(waiting.holds(a, 0)).toBe(true)
  expect(waiting.holds(b, 100)).toBe(true)
  expect(waiting.holds(a, 1)).toBe(false)
  waiting.release(b)
  expect(waiting.holds(a, 30, 20)).toBe(false)
  expect(refused.map((line) => line.replace('unauthenticated-bytes ', ''))).toEqual(['B', 'A', 'A'])
})
