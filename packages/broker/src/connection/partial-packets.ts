import type { Account } from '../accounts.js'
import type { Owner } from '../faults.js'
import type { TimerWheel } from '../time/timer-wheel.js'

/** The part of `limits.maxWaitingBytes` for packets that have come in part, of all clients. */
const partOfWaiting = 1 / 2
/** A packet of which no more than this has come is read on in any case. */
const smallBytes = 4_096
/** How long the one whose turn it is may take to send the rest of its packet, in ms, while others wait for their turn. */
const patienceMs = 5_000

/** A connection of which packets have come in part. */
export interface HasPart extends Owner {
  /** It is read from again. */
  readOn(): void
  /** Others have waited too long for the rest of its packet. */
  tooSlow(): void
}

/**
 * What clients have sent in part: packets that are not whole, and bytes behind a packet that waits. Together they may take so much
 * memory, which is charged to what waits. Beyond that one connection after the other has its turn to send the rest of its packet, and the
 * others that would add to it are not read from.
 */
export class PartialPackets {
  readonly #waiting: Account
  readonly #wheel: Pick<TimerWheel, 'after'>
  #bytes = 0
  readonly #line = new Set<HasPart>()
  /** Whose turn it is. */
  #turn: HasPart | undefined

  constructor(waiting: Account, wheel: Pick<TimerWheel, 'after'>) {
    this.#waiting = waiting
    this.#wheel = wheel
  }

  /**
   * Notes how many bytes of a packet have come in part over a connection.
   * @returns false: the connection must not be read from until {@link HasPart.readOn}.
   */
  change(connection: HasPart, before: number, held: number): boolean {
    this.#bytes += held - before
    this.#waiting.add(held - before)
    if (held < before) {
      if (this.#turn === connection) this.#turn = undefined
      this.#next()
      return true
    }
    if (!this.#isFull || held <= smallBytes || this.#turn === connection) return true
    if (this.#turn === undefined) {
      this.#begin(connection)
      return true
    }
    this.#line.add(connection)
    return false
  }

  /** The connection is gone. */
  leave(connection: HasPart, held: number): void {
    this.#line.delete(connection)
    if (held > 0) this.change(connection, held, 0)
  }

  get #isFull(): boolean {
    return this.#bytes > this.#waiting.most * partOfWaiting
  }

  #next(): void {
    if (this.#turn !== undefined) return
    for (const connection of this.#line) {
      this.#line.delete(connection)
      this.#begin(connection)
      connection.readOn()
      return
    }
  }

  #begin(connection: HasPart): void {
    this.#turn = connection
    const judge = (): void => {
      if (this.#turn !== connection) return
      if (this.#line.size === 0) this.#wheel.after(patienceMs, judge, connection)
      else connection.tooSlow()
    }
    this.#wheel.after(patienceMs, judge, connection)
  }
}
