/**
 * A message of a shared group that one member is being sent at QoS 1. It stays in the group's queue until it is
 * acknowledged, so that handing it to another member moves nothing.
 */
export interface Loan {
  /** Whether it goes back as soon as the connection is gone, not only with the session. */
  readonly endsWithConnection: boolean
  /** Acknowledged or refused: done for the whole group [MQTT-4.8.2-6]. */
  settle(): void
  /** Not acknowledged, and no longer this member's. False: there is no group any more that could have it back. */
  giveBack(): boolean
}

/** Where a session that has room gets more to send: the shared groups it is a member of. */
export interface Supply<T> {
  /**
   * Hands the taker messages that wait, as long as it has room, and no more than its credit. Answers how many. Fewer, while the taker has
   * room: no more wait; what comes is offered by itself.
   */
  supply(taker: T, credit: number): number
  /** The taker has a connection again. */
  isBack(taker: T): void
}

/** Messages taken before others have their turn. */
const takenAtOnce = 1_000

/** Whoever takes messages of shared groups. */
interface Taker {
  /** How many messages would go out at once. */
  readonly room: number
}

/** What a session has of shared groups, once it has become a member of one. */
export class Borrowing<T extends Taker> {
  /** The groups it is a member of that may have something for it and will not offer it by themselves. */
  readonly #supplies = new Set<Supply<T>>()
  /** What is in flight for a group, by number; `undefined`: at QoS 2, which nobody else may get any more. */
  readonly #loans = new Map<number, Loan | undefined>()

  addSupply(supply: Supply<T>): void {
    this.#supplies.add(supply)
  }

  deleteSupply(supply: Supply<T>): void {
    this.#supplies.delete(supply)
  }

  /** The taker has a connection again. */
  isBack(taker: T): void {
    for (const supply of this.#supplies) supply.isBack(taker)
  }

  /**
   * Gives each shared group its part of the room as credit, until none has a message or there is no more room. True: that has taken so
   * many that others should have their turn; there may be more.
   */
  askForMore(taker: T): boolean {
    for (let left = takenAtOnce; left > 0; ) {
      const before = left
      for (const supply of this.#supplies) {
        const credit = Math.min(Math.ceil(taker.room / this.#supplies.size), left)
        if (credit === 0) return left === 0
        const taken = supply.supply(taker, credit)
        left -= taken
        if (taken < credit && taker.room > 0) this.#supplies.delete(supply)
      }
      if (left === before) return false
    }
    return true
  }

  lent(number: number, loan: Loan | undefined): void {
    this.#loans.set(number, loan)
  }

  has(number: number): boolean {
    return this.#loans.has(number)
  }

  /** @param forget called with the number of each that has gone back; where there is no group any more, it stays here. */
  giveBack(which: (loan: Loan) => boolean, forget: (number: number) => void): void {
    for (const [number, loan] of this.#loans) {
      if (!loan || !which(loan)) continue
      this.#loans.delete(number)
      if (loan.giveBack()) forget(number)
    }
  }

  /** From now on it is the session's own. */
  keep(number: number): void {
    this.#loans.delete(number)
  }

  /** Done with, for the group too. */
  settle(number: number): void {
    if (this.#loans.size === 0) return
    const loan = this.#loans.get(number)
    this.#loans.delete(number)
    loan?.settle()
  }

  clear(): void {
    this.#loans.clear()
  }
}
