/** Tokens that come in a second, and how many may be saved up. Either may change while buckets are filled by it. */
export interface Rate {
  readonly perSecond: number
  readonly most: number
}

/** So many a second as is said whenever it is asked; those of some seconds may be saved up. */
export function rateOf(perSecond: () => number, savedUpSeconds: number): Rate {
  return {
    get perSecond() {
      return perSecond()
    },
    get most() {
      return perSecond() * savedUpSeconds
    },
  }
}

/**
 * A rate with some room for bursts: tokens come in evenly, up to `most`, and each use takes some. It may go below zero;
 * then it is for the user to wait. While there are enough, a use costs one comparison and no look at the clock.
 */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #filledAt: number

  /** It begins full. @param now monotonic ms, here as below. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.most
    this.#filledAt = now
  }

  /** Takes them, there or not. False: they were not, see {@link TokenBucket.debtMs}. */
  spend(tokens: number): boolean {
    const { most } = this.#rate
    this.#tokens = (this.#tokens > most ? most : this.#tokens) - tokens
    return this.#tokens >= 0
  }

  /** Milliseconds until nothing is owed any more; 0: nothing is. */
  debtMs(now: number): number {
    this.#fill(now)
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#rate.perSecond)
  }

  /** Takes one if it is there. */
  take(now: number): boolean {
    if (!this.holdsOne(now)) return false
    this.#tokens--
    return true
  }

  holdsOne(now: number): boolean {
    if (this.#tokens < 1 || this.#tokens > this.#rate.most) this.#fill(now)
    return this.#tokens >= 1
  }

  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens === this.#rate.most
  }

  #fill(now: number): void {
    const { perSecond, most } = this.#rate
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#filledAt) * perSecond) / 1000)
    this.#filledAt = now
  }
}
