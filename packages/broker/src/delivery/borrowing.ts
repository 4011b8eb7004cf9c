import type { Loan, Supply } from './loan.js'

/** Whoever takes messages of shared groups. */
interface Taker {
  /** A message would go out at once. */
  readonly ready: boolean
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

  /** A message of each shared group in turn, until none has one or there is no more room. */
  askForMore(taker: T): void {
    for (let supplied = true; supplied; ) {
      supplied = false
      for (const supply of this.#supplies) {
        if (!taker.ready) return
        if (supply.supply(taker)) supplied = true
        else this.#supplies.delete(supply)
      }
    }
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
