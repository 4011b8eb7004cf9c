import { expect, it } from 'vitest'
import { Lease } from './lease.js'

/** A lease of 3 s, and when it is over: the leader is asked four times a second, and has nothing new. */
function setUp() {
  const lease = new Lease(3_000)
  const overAt = (from: number, until: number): number | undefined => {
    for (let now = from; now <= until; now += 250) {
      lease.answered(now, true)
      if (lease.isOver(now)) return now
    }
    return undefined
  }
  return { lease, overAt }
}

it('is over when the leader has had nothing new for so long', () => {
  const { overAt } = setUp()
  expect(overAt(0, 10_000)).toBe(3_000)
})

it('is not over while the leader is silent', () => {
  const { lease, overAt } = setUp()
  expect(overAt(0, 2_000)).toBeUndefined()
  expect(lease.isOver(9_000)).toBe(false)
})

it('is over sooner after an election: an owner that lives writes at once', () => {
  const { overAt } = setUp()
  overAt(0, 2_000)
  expect(overAt(8_000, 20_000)).toBe(9_500)
})

it('begins anew when something comes after an election', () => {
  const { lease, overAt } = setUp()
  overAt(0, 2_000)
  overAt(8_000, 9_000)
  lease.heard(9_100)
  expect(overAt(9_250, 20_000)).toBe(12_250)
})

it('begins anew when the new leader has what this copy has not', () => {
  const { lease, overAt } = setUp()
  overAt(0, 2_000)
  lease.answered(8_000, false)
  expect(overAt(8_250, 20_000)).toBe(11_000)
})

it('is waited for as a whole by a node that begins to follow', () => {
  const { lease, overAt } = setUp()
  overAt(0, 2_000)
  lease.restart()
  expect(overAt(8_000, 20_000)).toBe(11_000)
})
