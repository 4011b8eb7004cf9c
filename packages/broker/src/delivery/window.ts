import type { QoS } from '@godwit/protocol'
import type { Queue } from '../store/queue.js'
import type { OutgoingState, QueuedCount } from '../store/store.js'

/** How many packet ids there are: no more numbers may be open. */
export const packetIds = 65_535

/** The packet id of the message with this number: ids count from 1 upward, and none needs storing [MQTT-2.3.1-1]. */
export function packetIdOf(number: number): number {
  return ((number - 1) % packetIds) + 1
}

/** Where the handshake of a sent message stands. */
export const settled = 0
/** Sent at QoS 1, waits for PUBACK. */
export const sentQos1 = 1
/** Sent at QoS 2, waits for PUBREC. */
export const sentQos2 = 2
/** PUBREC has come, PUBREL is out, waits for PUBCOMP. */
export const released = 3
export type Handshake = typeof settled | typeof sentQos1 | typeof sentQos2 | typeof released

const smallRing = 16
/** Before the first message is sent: shared by all, since nothing can be written into it. */
const noRing = new Uint8Array(0)

/**
 * The messages of a session that were sent and are not done: numbers `head` to `next` − 1, one byte of state each in a
 * ring. A number's packet id cannot be in use twice, since never more than 65,535 numbers are open [MQTT-2.3.1-4].
 */
export class Window {
  /** The lowest number whose handshake is not over; equals `next` when none is open. */
  head = 1
  /** The number of the next message to be sent. */
  next = 1
  /** How many handshakes are open. */
  inflight = 0
  #states: Uint8Array = noRing

  /** The states of `head` to `next` − 1, in this order. */
  handshakes(): Uint8Array {
    if (this.next === this.head) return noRing
    const states = new Uint8Array(this.next - this.head)
    for (let at = 0; at < states.length; at++) states[at] = this.state(this.head + at)
    return states
  }

  /** Takes up where {@link handshakes} was taken. */
  restore(head: number, handshakes: Uint8Array): void {
    this.head = head
    this.next = head
    for (const state of handshakes) {
      if (state === settled) this.skip()
      else {
        const number = this.send(1)
        this.#states[number & (this.#states.length - 1)] = state
      }
    }
  }

  /** How many messages may be sent. */
  room(maxInflight: number): number {
    return Math.max(0, Math.min(maxInflight - this.inflight, packetIds - (this.next - this.head)))
  }

  hasRoom(maxInflight: number): boolean {
    return this.inflight < maxInflight && this.next - this.head < packetIds
  }

  /** Opens the handshake of the next message and gives its number. */
  send(qos: QoS): number {
    const number = this.next
    if (number - this.head >= this.#states.length) this.#grow()
    this.#states[number & (this.#states.length - 1)] = qos
    this.next = number + 1
    this.inflight++
    return number
  }

  /** Leaves the next number unused: its message is gone. */
  skip(): void {
    const number = this.next
    if (number - this.head >= this.#states.length) this.#grow()
    this.#states[number & (this.#states.length - 1)] = settled
    this.next = number + 1
    this.#advance()
  }

  /** Leaves the next numbers unused up to this one. Answers how many that were. */
  skipTo(number: number): number {
    const before = this.next
    if (number <= before) return 0
    if (this.inflight === 0) {
      this.head = number
      this.next = number
    } else while (this.next < number) this.skip()
    return number - before
  }

  /** Nobody needs it for a while: it keeps no more memory than what is open takes. */
  rest(): void {
    if (this.head === this.next) this.#states = noRing
  }

  /** The open number with this packet id, or 0. */
  numberOf(packetId: number): number {
    const ahead = (packetId - packetIdOf(this.head) + packetIds) % packetIds
    const number = this.head + ahead
    return number < this.next && this.state(number) !== settled ? number : 0
  }

  state(number: number): Handshake {
    return this.#states[number & (this.#states.length - 1)] as Handshake
  }

  release(number: number): void {
    this.#states[number & (this.#states.length - 1)] = released
  }

  settle(number: number): void {
    this.#states[number & (this.#states.length - 1)] = settled
    this.inflight--
    this.#advance()
  }

  #advance(): void {
    while (this.head < this.next && this.state(this.head) === settled) this.head++
    if (this.head === this.next && this.#states.length > 4096) this.#states = noRing
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(this.#states.length * 2, smallRing))
    for (let n = this.head; n < this.next; n++) larger[n & (larger.length - 1)] = this.state(n)
    this.#states = larger
  }
}

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
    return this.#skipTo(Math.min(queue.next(next, this.tail), head + packetIds))
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
