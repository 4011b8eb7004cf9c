/**
 * A rate with some room for bursts: tokens come in evenly, up to `most`, and each use takes some. It may go below zero;
 * then it is for the user to wait. While there are enough, a use costs one comparison and no look at the clock.
 */
export class TokenBucket {
  readonly #perSecond: number
  readonly #most: number
  #tokens: number
  #filledAt: number

  /** It begins full. @param now monotonic ms, here as below. */
  constructor(perSecond: number, most: number, now: number) {
    this.#perSecond = perSecond
    this.#most = most
    this.#tokens = most
    this.#filledAt = now
  }

  /** Takes them, there or not. False: they were not, see {@link TokenBucket.debtMs}. */
  spend(tokens: number): boolean {
    this.#tokens -= tokens
    return this.#tokens >= 0
  }

  /** Milliseconds until nothing is owed any more; 0: nothing is. */
  debtMs(now: number): number {
    this.#fill(now)
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#perSecond)
  }

  /** Takes one if it is there. */
  take(now: number): boolean {
    if (!this.holdsOne(now)) return false
    this.#tokens--
    return true
  }

  holdsOne(now: number): boolean {
    if (this.#tokens < 1) this.#fill(now)
    return this.#tokens >= 1
  }

  isFull(now: number): boolean {
    this.#fill(now)
    return this.#tokens === this.#most
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + ((now - this.#filledAt) * this.#perSecond) / 1000)
    this.#filledAt = now
  }
}
