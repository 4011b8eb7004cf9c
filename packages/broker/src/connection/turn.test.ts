import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turn } from './turn.js'

it('Turn flushes once at the end of the turn, and what is added while flushing in the next', async () => {
  const turn = new Turn()
  const flushed: string[] = []
  const late = { flush: () => flushed.push('late') }
  turn.add({
    flush: () => {
      flushed.push('a')
      turn.add(late)
    },
  })
  turn.add({ flush: () => flushed.push('b') })
  expect(flushed).toEqual([])
  await nextTurn()
  expect(flushed).toEqual(['a', 'b'])
  await nextTurn()
  expect(flushed).toEqual(['a', 'b', 'late'])
  await nextTurn()
  expect(flushed).toHaveLength(3)
})
