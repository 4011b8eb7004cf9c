import { expect, test } from 'vitest'
import { shareWithin } from './share-within.js'

const bounds = [1, 2, 5]

test.each<[readonly number[], number, number | null]>([
  [[0, 0, 0, 0], 0.5, null],
  [[98, 0, 2, 0], 0.5, 1],
  [[98, 0, 2, 0], 0.98, 1],
  [[98, 0, 2, 0], 0.99, 5],
  [[0, 0, 0, 7], 0.5, 5], // above all bounds: at least that
])('of %j a share of %d is within %j', (counts, share, most) => {
  expect(shareWithin({ bounds, counts }, share)).toBe(most)
})
