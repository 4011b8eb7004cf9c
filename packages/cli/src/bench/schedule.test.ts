import { expect, test } from 'vitest'
import { Schedule } from './schedule.js'

test('publishers take turns at the common rate', () => {
  const [first, second] = [0, 1].map((publisher) => new Schedule(1_000_000, 1000, publisher, 2))
  expect([0, 1, 2].map((n) => first?.timeOf(n))).toEqual([1_000_000, 1_002_000, 1_004_000])
  expect([0, 1, 2].map((n) => second?.timeOf(n))).toEqual([1_001_000, 1_003_000, 1_005_000])
})

test('what is due does not depend on what was sent', () => {
  const schedule = new Schedule(1_000_000, 1000, 0, 1)
  expect([0, 1_000_000, 1_000_001, 1_001_000, 1_010_000].map((time) => schedule.dueBefore(time))).toEqual([
    0, 0, 1, 1, 10,
  ])
})
