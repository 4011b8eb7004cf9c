import { setImmediate as nextTurn } from 'node:timers/promises'

/** What was looked at in Maps and Sets. */
export interface Work {
  /** In the one turn of the event loop in which it was most. */
  readonly most: number
  readonly total: number
}

interface Iterates {
  next: (this: unknown) => unknown
}

/**
 * Counts each entry of a Map or Set that anybody comes by while `play` goes on, turn by turn of the event loop: how much
 * work a client can make the broker do before others are served. It comes out the same on a busy machine.
 */
export async function workOf(play: () => void | Promise<void>): Promise<Work> {
  let total = 0
  let most = 0
  let before = 0
  let isOver = false
  const iterators = [new Map().entries(), new Set().values()].map((one) => Object.getPrototypeOf(one) as Iterates)
  const real = iterators.map(({ next }) => next)
  for (const [at, iterator] of iterators.entries()) {
    const next = real[at]!
    iterator.next = function (this: unknown) {
      total++
      return next.call(this)
    }
  }
  const look = (): void => {
    most = Math.max(most, total - before)
    before = total
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  try {
    await play()
    await nextTurn()
  } finally {
    isOver = true
    for (const [at, iterator] of iterators.entries()) iterator.next = real[at]!
  }
  return { most, total }
}
