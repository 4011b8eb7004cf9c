import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from './turns.js'

test('of requests that come at once one begins in a turn of the event loop, in their order', async () => {
  const turns = new Turns()
  const begun: number[] = []
  for (let n = 0; n < 4; n++) void turns.mine().then(() => begun.push(n))
  const seen: number[][] = []
  for (let n = 0; n < 4; n++) {
    await Promise.resolve()
    seen.push([...begun])
    await nextTurn()
  }
  expect(seen.map((some) => some.length)).toEqual([1, 2, 3, 4])
  expect(begun).toEqual([0, 1, 2, 3])
})

test('one behind the other, each asked for when the one before is done, begin in turns of their own too', async () => {
  const turns = new Turns()
  let passed = 0
  let isOver = false
  const count = (): void => {
    passed++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  for (let n = 0; n < 10; n++) await turns.mine()
  isOver = true
  expect(passed).toBeGreaterThanOrEqual(8)
})

test('one that comes alone begins at once', async () => {
  const turns = new Turns()
  await turns.mine()
  await nextTurn()
  await nextTurn()
  let isBegun = false
  void turns.mine().then(() => {
    isBegun = true
  })
  await Promise.resolve()
  expect(isBegun).toBe(true)
})
