import { Faults, type Owner } from '../faults.js'

/** Work that is done a slice at a time. */
export interface Sliced extends Owner {
  /** Its next slice: as many steps as {@link Slices.grant} says; asks for {@link Slices.later} again when that is not all. */
  goOn(): void
}

/** Steps of all together before the event loop goes round: some milliseconds. A step looks at, sends or removes one thing. */
const stepsATurn = 1_000
/** Steps of one before the others have their turn. */
const stepsASlice = 500

/**
 * Work whose size a client chooses, shared out over turns of the event loop: a replay of a million retained messages, the
 * end of a session with ten thousand subscriptions. Whoever has more to do than a slice stands in line for the next one,
 * and all together do no more in a turn than {@link stepsATurn}.
 */
export class Slices {
  readonly #faults: Faults
  #left = stepsATurn
  #line: Sliced[] = []
  readonly #inLine = new Set<Sliced>()
  #scheduled = false

  constructor(faults: Faults = new Faults()) {
    this.#faults = faults
  }

  /** How many steps may be done now. 0: none, before its turn comes. */
  grant(): number {
    return Math.min(stepsASlice, this.#left)
  }

  /** So many have been done. */
  used(steps: number): void {
    if (steps === 0) return
    this.#left -= steps
    this.#schedule()
  }

  /** Has it go on in a later turn, behind those that asked before. Once, however often it asks. */
  later(work: Sliced): void {
    if (this.#inLine.has(work)) return
    this.#inLine.add(work)
    this.#line.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#scheduled = false
    this.#left = stepsATurn
    const line = this.#line
    this.#line = []
    let at = 0
    for (; at < line.length && this.#left > 0; at++) this.#call(line[at]!)
    if (at < line.length) this.#line = line.slice(at).concat(this.#line)
    if (this.#line.length > 0) this.#schedule()
  }

  #call(work: Sliced): void {
    this.#inLine.delete(work)
    this.#left-- // looking at it is a step too
    try {
      work.goOn()
    } catch (error) {
      this.#faults.contain(error, work, 'going on with what it is owed')
    }
  }
}

/** A loop over as many items as there may be, each a step: it begins at once, and goes on in later turns when it has to. */
export class SlicedLoop<T> implements Sliced {
  readonly clientId = undefined
  readonly #items: Iterator<T>
  readonly #each: (item: T) => void
  readonly #slices: Slices
  readonly #onDone: () => void

  /** @param onDone called once, when all have been looped over. */
  constructor(items: Iterator<T>, each: (item: T) => void, slices: Slices, onDone: () => void = () => {}) {
    this.#items = items
    this.#each = each
    this.#slices = slices
    this.#onDone = onDone
  }

  goOn(): void {
    const granted = this.#slices.grant()
    let left = granted
    try {
      for (; left > 0; left--) {
        const { done, value } = this.#items.next()
        if (done) return this.#onDone()
        this.#each(value)
      }
      this.#slices.later(this)
    } finally {
      this.#slices.used(granted - left)
    }
  }

  /** What failed for one item does not concern the next. */
  onFault(): void {
    this.#slices.later(this)
  }
}
