import type { Queue } from '../store/queue.js'
import type { OutgoingState, QueuedCount } from '../store/store.js'
import { settled, Window } from './window.js'

/** Packet ids end there: no more numbers may be open. */
export const mostOpen = 65_535

/**
 * The numbers of the messages of one queue. Those whose handshake is open are in the window; those behind it wait, up to `tail`. Some of
 * these may be gone: how many is known, which ones the queue says.
 */
export class Numbers {
  readonly window: Window = new Window()
  /** The number the next accepted message gets. */
  tail = 1
  #gone = 0

  /** Takes up what an earlier process left. */
  restore({ head, tail, handshakes, messages }: OutgoingState & QueuedCount): void {
    this.window.restore(head, handshakes)
    this.tail = tail
    this.#gone = Math.max(0, tail - this.window.next - (messages - this.window.inflight))
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.tail - this.window.next - this.#gone
  }

  /** Whether messages that waited are gone, and their numbers are still to be passed over. */
  get hasGone(): boolean {
    return this.#gone > 0
  }

  isDone(number: number): boolean {
    return number < this.window.head || (number < this.window.next && this.window.state(number) === settled)
  }

  /** So many messages that waited have been removed from the queue. */
  removed(messages: number): void {
    this.#gone += messages
  }

  /** Leaves the next numbers unused if their messages are gone. Answers how many. */
  passGone(queue: Queue): number {
    const { next, head } = this.window
    return this.#skipTo(Math.min(queue.next(next, this.tail), head + mostOpen))
  }

  /** Nothing waits, as far as is known: leaves all numbers unused up to the next message that is there after all, if there is one. */
  passAll(queue: Queue): void {
    if (this.#gone === 0) return
    this.#gone = 0
    this.#skipTo(queue.next(this.window.next, this.tail))
  }

  #skipTo(number: number): number {
    const skipped = this.window.skipTo(number)
    this.#gone = this.window.next === this.tail ? 0 : Math.max(0, this.#gone - skipped)
    return skipped
  }
}
