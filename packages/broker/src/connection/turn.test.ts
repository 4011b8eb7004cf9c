import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turn } from './turn.js'

function setUp() {
  const turn = new Turn()
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
  return { turn, flushed, gathering }
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
