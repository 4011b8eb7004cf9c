import type { Account } from '../accounts.js'
import { type Commit, isSafe } from '../commit.js'

/** What one connection may have waiting, of what all may: the others' commits are not to wait behind more. */
export const shareOfWaiting = 1 / 16
const leastShareBytes = 65_536

/** The share of one connection in `limits.maxWaitingBytes`. */
export function shareBytes(waiting: Account): number {
  return Math.max(leastShareBytes, waiting.most * shareOfWaiting)
}

/** What the packets of one connection have made the store gather, and is not on disk yet. */
export class ConnectionShare {
  /** Commits that are not flushed, oldest first, and what each has of this connection. */
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
