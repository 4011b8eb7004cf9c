import type { Account } from '../accounts.js'
import type { Answer } from '../handlers/context.js'
import { shareBytes } from './connection-share.js'

interface HeldPublication {
  readonly bytes: number
  /** Goes on with it. */
  readonly route: () => Answer
}

/**
 * Publications of one client that wait for room on the disk, in order. Packets behind them that are no publications are handled
 * meanwhile: acknowledgements among them make room.
 */
export class HeldPublications {
  readonly #waiting: Account
  #held: HeldPublication[] = []
  #bytes = 0

  constructor(waiting: Account) {
    this.#waiting = waiting
  }

  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** False: it is more than the connection may have waiting. */
  hold(bytes: number, route: () => Answer): boolean {
    if (this.#bytes + bytes > shareBytes(this.#waiting)) return false
    this.#held.push({ bytes, route })
    this.#count(bytes)
    return true
  }

  /** The one that has waited longest goes on. */
  next(): Answer {
    const one = this.#held.shift()!
    this.#count(-one.bytes)
    return one.route()
  }

  clear(): void {
    this.#count(-this.#bytes)
    this.#held = []
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#waiting.add(bytes)
  }
}
