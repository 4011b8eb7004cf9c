import { expect, test } from 'vitest'
import { shareOf } from './settings.js'

test('each thread has its share, and nobody is left out', () => {
  expect([0, 1, 2].map((worker) => shareOf(7, worker, 3))).toEqual([
    [0, 3, 6],
    [1, 4],
    [2, 5],
  ])
  expect([0, 1, 2].map((worker) => shareOf(1, worker, 3))).toEqual([[0], [], []])
})
