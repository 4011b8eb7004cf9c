import type { Grant, Subscriber } from './subscriber.js'

/** The one holder of a filter. */
interface Sole {
  readonly subscriber: Subscriber
  readonly grant: Grant
}

/** Who holds one filter, and how it was granted. Most filters have one holder, who needs no map. */
export class Holders {
  #sole: Sole | undefined
  #many: Map<Subscriber, Grant> | undefined

  get size(): number {
    return this.#many?.size ?? (this.#sole ? 1 : 0)
  }

  /** Adds or replaces. True: it was not a holder before. */
  set(subscriber: Subscriber, grant: Grant): boolean {
    const before = this.size
    if (this.#many) this.#many.set(subscriber, grant)
    else if (!this.#sole || this.#sole.subscriber === subscriber) this.#sole = { subscriber, grant }
    else {
      this.#many = new Map([
        [this.#sole.subscriber, this.#sole.grant],
        [subscriber, grant],
      ])
      this.#sole = undefined
    }
    return this.size > before
  }

  /** False: it was no holder. */
  delete(subscriber: Subscriber): boolean {
    if (this.#many) return this.#many.delete(subscriber)
    if (this.#sole?.subscriber !== subscriber) return false
    this.#sole = undefined
    return true
  }

  forEach(visit: (subscriber: Subscriber, grant: Grant) => void): void {
    if (this.#sole) visit(this.#sole.subscriber, this.#sole.grant)
    else for (const [subscriber, grant] of this.#many ?? []) visit(subscriber, grant)
  }
}
