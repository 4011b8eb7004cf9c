import { expect, test } from 'vitest'
import { latencies, note, percentilesOf, sumOf } from './tally.js'

test('the percentiles are those of all threads together, to three digits', () => {
  const [quick, slow] = [latencies(), latencies()]
  for (let waited = 1; waited <= 900; waited++) note(quick, waited)
  for (let waited = 901; waited <= 1000; waited++) note(slow, waited)
  const all = percentilesOf([quick, latencies(), slow])
  expect(all).toMatchObject({ count: 1000, min: 1, mean: 500.5, p50: 500, p90: 900, p99: 990, p999: 999, max: 1000 })
})

test('a wait below a microsecond counts as one, a fraction is rounded', () => {
  const histogram = latencies()
  note(histogram, 0.2)
  note(histogram, 41.6)
  expect(percentilesOf([histogram])).toMatchObject({ count: 2, min: 1, max: 42 })
})

test('nothing measured, no percentiles', () => {
  expect(percentilesOf([latencies()])).toBeUndefined()
})

test('tallies add up', () => {
  const one = { sent: 1, late: 2, acknowledged: 3, received: 4, repeated: 5, refused: 6, measured: 7, connected: 8 }
  expect(sumOf([one, one, one])).toEqual({
    ...{ sent: 3, late: 6, acknowledged: 9, received: 12, repeated: 15, refused: 18, measured: 21, connected: 24 },
  })
})
