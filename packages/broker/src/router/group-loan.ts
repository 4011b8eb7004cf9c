import type { Loan } from '../delivery/borrowing.js'

/** The group a message was lent by. */
interface Lender {
  settle(number: number): void
  takeBack(number: number): boolean
}

/** One message of a shared group that a member has been handed. It is settled or given back once; a second call does nothing. */
export class GroupLoan implements Loan {
  readonly endsWithConnection: boolean
  readonly #group: Lender
  readonly #number: number
  #isOver = false

  constructor(group: Lender, number: number, endsWithConnection: boolean) {
    this.#group = group
    this.#number = number
    this.endsWithConnection = endsWithConnection
  }

  settle(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#group.settle(this.#number)
  }

  giveBack(): boolean {
    if (this.#isOver) return true
    if (!this.#group.takeBack(this.#number)) return false
    this.#isOver = true
    return true
  }
}
