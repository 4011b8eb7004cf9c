import type { Sliced, Slices } from './slices.js'

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
