/** The owner's silence counts only if the leader of the stream has answered within so many ms. */
const leaderPatienceMs = 1_000
/**
 * An owner that lives has tried again and again to write while there was no leader, and so it writes at once when one is elected: that it
 * does not says as much as half a lease, and this is enough for it, in ms.
 */
const afterElectionMs = 1_500

/**
 * How long the log has been quiet, as its leader says: while that is silent too, nobody knows whether an owner writes. On the
 * monotonic clock of this machine alone.
 */
export class Lease {
  readonly #ms: number
  #quietSince: number | undefined
  #answeredAt = Number.NEGATIVE_INFINITY

  /** @param ms how long it must have been quiet. */
  constructor(ms: number) {
    this.#ms = ms
  }

  /** A frame has come. */
  heard(now: number): void {
    this.#quietSince = now
  }

  /** The leader has answered. @param isAllKnown what it has last is what this copy has. */
  answered(now: number, isAllKnown: boolean): void {
    if (!isAllKnown || this.#quietSince === undefined) this.#quietSince = now
    else if (!this.isAnswered(now)) this.#quietSince = now - this.#sparedMs
    this.#answeredAt = now
  }

  /** What of a lease need not be waited for when the leader was silent. */
  get #sparedMs(): number {
    return Math.max(0, this.#ms - Math.max(afterElectionMs, this.#ms / 2))
  }

  /** The leader has answered lately. */
  isAnswered(now: number): boolean {
    return now - this.#answeredAt <= leaderPatienceMs
  }

  isOver(now: number): boolean {
    if (this.#quietSince === undefined || !this.isAnswered(now)) return false
    return now - this.#quietSince >= this.#ms
  }

  /** The log counts as heard now: time begins anew. */
  restart(): void {
    this.#quietSince = undefined
    this.#answeredAt = Number.NEGATIVE_INFINITY
  }
}
