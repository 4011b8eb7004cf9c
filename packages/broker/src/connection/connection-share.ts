import type { Account } from '../accounts.js'
import { type Commit, isSafe } from '../commit.js'

/** The part of `limits.maxWaitingBytes` that one connection may fill: the commits of all others wait behind what it has. */
export const shareOfWaiting = 1 / 16
const leastShareBytes = 65_536

/** The share of one connection in `limits.maxWaitingBytes`. */
export function shareBytes(waiting: Account): number {
  return Math.max(leastShareBytes, waiting.most * shareOfWaiting)
}

/** Counts the bytes that one connection's packets have added to commits that are not flushed yet. */
export class ConnectionShare {
  /** Commits that are not flushed, oldest first; in the second list the bytes that each has of this connection. */
  readonly #commits: Commit[] = []
  readonly #bytes: number[] = []

  /** Packets of this connection were handled; what they made is part of `commit` at the latest. */
  add(commit: Commit, bytes: number): void {
    const last = this.#commits.length - 1
    if (this.#commits[last] === commit) this.#bytes[last]! += bytes
    else {
      this.#commits.push(commit)
      this.#bytes.push(bytes)
    }
  }

  /** Bytes that are not on disk. */
  waiting(flushed: Commit): number {
    while (this.#commits.length > 0 && isSafe(this.#commits[0]!, flushed)) {
      this.#commits.shift()
      this.#bytes.shift()
    }
    let bytes = 0
    for (const one of this.#bytes) bytes += one
    return bytes
  }
}
