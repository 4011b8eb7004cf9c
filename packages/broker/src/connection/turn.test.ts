import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Faults } from '../faults.js'
import { VirtualClock } from '../testing/index.js'
import { Turn } from './turn.js'

function setUp() {
  const clock = new VirtualClock()
  const turn = new Turn(new Faults(), clock)
  const flushed: string[] = []
  const gathering = (name: string, bytes = 1, then = () => {}) => ({
    clientId: name,
    onFault: () => void flushed.push(`${name} ends`),
    flush() {
      flushed.push(name)
      then()
      return bytes
    },
  })
  return { turn, flushed, gathering, clock }
}

it('Turn flushes once at the end of the turn, and what is added while flushing in the next', async () => {
  const { turn, flushed, gathering } = setUp()
  const late = gathering('late')
  turn.add(gathering('a', 1, () => turn.add(late)))
  turn.add(gathering('b'))
  expect(flushed).toEqual([])
  await nextTurn()
  expect(flushed).toEqual(['a', 'b'])
  await nextTurn()
  expect(flushed).toEqual(['a', 'b', 'late'])
  await nextTurn()
  expect(flushed).toHaveLength(3)
})

it('Turn spreads many sockets over several turns', async () => {
  const { turn, flushed, gathering } = setUp()
  for (let n = 0; n < 4_500; n++) turn.add(gathering(`${n}`))
  const counts: number[] = []
  for (let n = 0; n < 3; n++) {
    await nextTurn()
    counts.push(flushed.length)
  }
  expect(counts).toEqual([2_000, 4_000, 4_500])
  expect(flushed).toEqual(Array.from({ length: 4_500 }, (_, n) => `${n}`))
})

it('Turn ends the one that cannot be flushed, and flushes the others', async () => {
  const { turn, flushed, gathering } = setUp()
  const fail = (): never => {
    throw new Error('no socket')
  }
  for (const one of [gathering('a'), gathering('b', 1, fail), gathering('c')]) turn.add(one)
  await nextTurn()
  expect(flushed).toEqual(['a', 'b', 'b ends', 'c'])
})

it('Turn spreads many bytes over several turns, and what comes meanwhile does not wait behind them', async () => {
  const { turn, flushed, gathering } = setUp()
  for (const name of ['a', 'b', 'c', 'd', 'e']) turn.add(gathering(name, 3_000_000))
  await nextTurn()
  expect(flushed.splice(0)).toEqual(['a', 'b'])
  turn.add(gathering('new'))
  await nextTurn()
  expect(flushed.splice(0)).toEqual(['new', 'c', 'd'])
  await nextTurn()
  expect(flushed.splice(0)).toEqual(['e'])
  await nextTurn()
  expect(flushed).toEqual([])
})

it('Turn is filled for those who bring many packets in a row, not for the many who bring a few', async () => {
  const { turn } = setUp()
  const [flood, ...others] = Array.from({ length: 301 }, (_, n) => ({ n }))
  expect(others.some((one) => turn.isFilledBy(one, 20))).toBe(false) // 6,000 in all
  expect(turn.isFilledBy(flood!, 200)).toBe(false)
  expect(turn.isFilledBy(flood!, 200)).toBe(true)
  expect(turn.isFilledBy(others[0]!, 20)).toBe(false)
  await nextTurn()
  expect(turn.isFilledBy(flood!, 400)).toBe(false)
})

it('Turn is filled by few packets, too, when those who bring many have taken 5 ms of it', async () => {
  const { turn, clock } = setUp()
  const [flood, other] = [{}, {}]
  expect(turn.isFilledBy(flood, 300)).toBe(false)
  clock.advance(4)
  expect(turn.isFilledBy(flood, 300)).toBe(false)
  clock.advance(2)
  expect(turn.isFilledBy(other, 20)).toBe(false)
  expect(turn.isFilledBy(flood, 300)).toBe(true)
  await nextTurn()
  expect(turn.isFilledBy(flood, 300)).toBe(false)
})
