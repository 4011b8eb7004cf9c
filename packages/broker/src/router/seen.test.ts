import { expect, it } from 'vitest'
import { Seen } from './seen.js'

const addAll = (seen: Seen, from: number, to: number): void => {
  for (let number = from; number < to; number++) seen.add(number)
}

it('what comes in its order, and all of it, is a run, however much it is', () => {
  const seen = new Seen()
  addAll(seen, 0, 100_000)
  expect([seen.runs, [...seen.blocks]]).toEqual([[[0, 390]], [390]])
  expect([0, 50_000, 99_999, 100_000].map((number) => seen.has(number))).toEqual([true, true, true, false])
})

it('what is late fills its gap, and the runs on both sides are one', () => {
  const seen = new Seen()
  addAll(seen, 0, 300)
  addAll(seen, 301, 1_024)
  expect([seen.has(300), seen.runs]).toEqual([
    false,
    [
      [0, 1],
      [2, 4],
    ],
  ])
  expect(seen.add(300)).toEqual({ block: 1, gone: [1], runs: true })
  expect([seen.has(300), seen.runs, seen.add(300)]).toEqual([true, [[0, 4]], undefined])
})

it('it may begin anywhere: what is lower and comes later is new', () => {
  const seen = new Seen()
  addAll(seen, 1_000, 2_000)
  expect([seen.has(999), seen.has(1_500)]).toEqual([false, true])
  addAll(seen, 0, 1_000)
  expect([seen.runs, seen.has(1_900)]).toEqual([[[0, 7]], true])
})

it('with many gaps the lowest are forgotten, and count as new', () => {
  const seen = new Seen()
  for (let number = 0; number <= 256 * 1_024; number += 256) seen.add(number)
  expect([[...seen.blocks].length, seen.has(0), seen.has(256)]).toEqual([1_024, false, true])
})
