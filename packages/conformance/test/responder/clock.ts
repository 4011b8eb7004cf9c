interface Timer {
  readonly due: number
  readonly callback: () => void
}

/** The responder's time, which stands still until a check lets it pass. */
export class ResponderClock {
  now = 0
  readonly #timers = new Set<Timer>()

  /** Gives back what calls it off. */
  after(ms: number, callback: () => void): () => void {
    const timer = { due: this.now + ms, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Whatever falls due runs at its own moment, in order. */
  advance(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)
      if (!next) break
      this.#timers.delete(next)
      this.now = Math.max(this.now, next.due)
      next.callback()
    }
    this.now = end
  }
}
