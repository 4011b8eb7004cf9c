import { expect, it } from 'vitest'
import { UnauthenticatedBytes } from './probation.js'

it('UnauthenticatedBytes bounds what all unauthenticated connections hold together', () => {
  const refused: string[] = []
  const waiting = new UnauthenticatedBytes(
    { maxUnauthenticatedBytes: 100 },
    { refused: (reason, address) => void refused.push(`${reason} ${address}`) },
  )
  const [a, b] = [{ peer: { address: 'A' } }, { peer: { address: 'B' } }]
  expect(waiting.charge(a, 60)).toBe(true)
  expect(waiting.charge(b, 40)).toBe(true)
  expect(waiting.charge(b, 41)).toBe(false)
  waiting.release(b)
  waiting.release(b) // a second time changes nothing
  expect(waiting.charge(b, 40)).toBe(true)
  expect(waiting.charge(a, 0)).toBe(true)
  expect(waiting.charge(b, 100)).toBe(true)
  expect(waiting.charge(a, 1)).toBe(false)
  waiting.release(b)
  expect(waiting.charge(a, 30, 20)).toBe(false)
  expect(refused.map((line) => line.replace('unauthenticated-bytes ', ''))).toEqual(['B', 'A', 'A'])
})
