import type { Owner } from '../faults.js'
import type { Chore, Chores } from '../time/chores.js'

/** Something whose messages expire: a queue in memory. */
export interface Expiring {
  /** When it is looked through, in seconds; 0: nothing in it expires, as far as is known. */
  dueAt: number
  /** Whose it is. */
  readonly outgoing?: Owner | undefined
  /** Removes what has expired and was never sent, and says again when to look. */
  clearExpired(now: number): Chore
}

/**
 * Which queues in memory have something that expires, by the second: each queue once, for the first. A queue is looked
 * through when that has come, a few messages a turn.
 */
export class MemoryExpiry {
  readonly #due = new Map<number, Set<Expiring>>()
  #next = Number.POSITIVE_INFINITY
  readonly #chores: Chores

  constructor(chores: Chores) {
    this.#chores = chores
  }

  add(queue: Expiring, expiresAt: number): void {
    const second = Math.ceil(expiresAt / 1000)
    if (queue.dueAt > 0 && queue.dueAt <= second) return
    if (queue.dueAt > 0) this.#remove(queue)
    queue.dueAt = second
    const others = this.#due.get(second)
    if (others) others.add(queue)
    else this.#due.set(second, new Set([queue]))
    if (second < this.#next) this.#next = second
  }

  /** @param now in ms. */
  clear(now: number): void {
    if (this.#next * 1000 > now) return
    const seconds = [...this.#due.keys()].filter((second) => second * 1000 <= now)
    for (const second of seconds) {
      const queues = this.#due.get(second)!
      this.#due.delete(second)
      this.#chores.add(this.#clearAll(queues, now))
    }
    this.#next = Number.POSITIVE_INFINITY
    for (const second of this.#due.keys()) this.#next = Math.min(this.#next, second)
  }

  /** What fails in one queue is no reason to leave the others as they are. */
  *#clearAll(queues: Iterable<Expiring>, now: number): Chore {
    for (const queue of queues) {
      queue.dueAt = 0
      try {
        yield* queue.clearExpired(now)
      } catch (error) {
        this.#chores.failed(error, queue.outgoing)
      }
      yield 1
    }
  }

  #remove(queue: Expiring): void {
    const others = this.#due.get(queue.dueAt)
    others?.delete(queue)
    if (others?.size === 0) this.#due.delete(queue.dueAt)
  }
}
