import type { Owner } from '../faults.js'

/**
 * Long work in steps: each `yield` tells what the step has cost, in units of about ten microseconds (a record read, a
 * message dropped, a session ended).
 */
export type Chore = Generator<number, void>

/** Units of all chores together in one turn of the event loop: a few milliseconds. */
const unitsATurn = 256

/**
 * Work that could be long, whoever asked for it: expiry, clearing away, sweeps. All of it shares one budget a turn, in turns
 * of their own, so that what clients ask for meanwhile does not wait behind it.
 */
export class Chores {
  #chores: Chore[] = []
  #scheduled = false
  /** A step has failed: it is told, and ends whom it was done for. Who calls it goes on with the next. */
  readonly failed: (error: unknown, owner?: Owner) => void

  /** @param failed told of what was thrown; a chore that lets it out is over. Default: thrown on. */
  constructor(
    failed: (error: unknown, owner?: Owner) => void = (error) => {
      throw error
    },
  ) {
    this.failed = failed
  }

  add(chore: Chore): void {
    this.#chores.push(chore)
    this.#schedule()
  }

  /** Nothing more is done. */
  close(): void {
    this.#chores = []
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    let units = 0
    while (units < unitsATurn && this.#chores.length > 0) {
      const chore = this.#chores.shift()!
      const cost = this.#step(chore)
      if (cost === undefined) continue
      units += Math.max(1, cost)
      this.#chores.push(chore)
    }
    if (this.#chores.length > 0) this.#schedule()
  }

  /** `undefined`: it is over. */
  #step(chore: Chore): number | undefined {
    try {
      const { done, value } = chore.next()
      return done ? undefined : value
    } catch (error) {
      this.failed(error)
      return undefined
    }
  }
}
