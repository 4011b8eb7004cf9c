/**
 * Requests that may begin in one turn of the event loop. Each takes a millisecond or more, in which no client of the broker is heard;
 * one that finds all it wants at once would otherwise be followed by the next, and that by the next.
 */
const mostATurn = 1

/** Has requests take turns with the work of the broker: however many come at once, its clients are heard between them. */
export class Turns {
  #begun = 0
  readonly #line: (() => void)[] = []
  #isScheduled = false

  /** Resolves when the next request may begin, in the order of those who asked. */
  async mine(): Promise<void> {
    this.#schedule()
    if (this.#begun < mostATurn && this.#line.length === 0) this.#begun++
    else await new Promise<void>((resolve) => this.#line.push(resolve))
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const now = this.#line.splice(0, mostATurn)
      this.#begun = now.length
      if (now.length > 0) this.#schedule()
      for (const begin of now) begin()
    })
  }
}
