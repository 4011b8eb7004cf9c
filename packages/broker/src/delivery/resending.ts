import { packetIdOf, released, settled, type Window } from './window.js'

/** Where what is sent again goes. */
interface Again {
  /** Sends the message with this number once more. False: it cannot be, and is done. */
  resend(number: number): boolean
  pubrel(packetId: number): void
}

/** What was sent on an earlier connection and is not done: it goes out again in its first order, as far as this client's window goes. */
export class Resending {
  #next: number
  /** Sent again, and not acknowledged. */
  readonly #open = new Set<number>()

  /** @param head the lowest number that is not done. */
  constructor(head: number) {
    this.#next = head
  }

  /** True: all of it is out. */
  goOn(window: Window, maxInflight: number, to: Again): boolean {
    for (; this.#next < window.next; this.#next++) {
      const number = this.#next
      if (number < window.head) continue
      const state = window.state(number)
      if (state === settled) continue
      if (state === released) to.pubrel(packetIdOf(number))
      else if (this.#open.size >= maxInflight) return false
      else if (to.resend(number)) this.#open.add(number)
    }
    return true
  }

  /** The message with this number is done. */
  settle(number: number): void {
    this.#open.delete(number)
  }
}
