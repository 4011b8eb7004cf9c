import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'
import type { QueueTotals } from '../metrics.js'

/** A message in a session's queue. */
export interface QueuedMessage {
  readonly message: Message
  /** The QoS of this delivery: the lower of the published and the granted one. */
  readonly qos: QoS
  /** The RETAIN flag of this delivery. */
  readonly retain: boolean
  /** The Subscription Identifiers it goes out with; `undefined`: none. */
  readonly identifiers?: readonly number[] | undefined
  /** It came through a shared group. */
  readonly shared?: boolean
}

/** A message as the queue gives it back. */
export interface KeptMessage extends QueuedMessage {
  /** The commit that makes it safe; 0: it is. */
  readonly commit: Commit
}

/**
 * The QoS 1 and 2 messages of one session, each under the number the session gave it. Numbers only ever rise, without
 * gaps. What is durable when is the store's promise: see {@link Store}.
 */
export interface Queue {
  /** Payload bytes it holds. */
  readonly bytes: number
  /** Keeps a message. Durable once the commit is flushed. */
  put(number: number, entry: QueuedMessage): Commit
  get(number: number): KeptMessage | undefined
  /** A QoS 2 message is released (PUBREC received): it is never sent as PUBLISH again. Durable once flushed. */
  release(number: number): Commit
  /** The message is done. Holds nothing back, but comes before any later write that reuses its packet id. */
  delete(number: number): void
}

/** A queue that lives as long as the process. */
export class MemoryQueue implements Queue {
  /** Made when the first message comes: most sessions hold none most of the time. */
  #entries: Map<number, KeptMessage> | undefined
  readonly #totals: QueueTotals
  bytes = 0

  /** @param totals of the broker. Default: it is counted alone. */
  constructor(totals: QueueTotals = { messages: 0, bytes: 0 }) {
    this.#totals = totals
  }

  put(number: number, { message, qos, retain, identifiers, shared = false }: QueuedMessage): Commit {
    message.keep()
    this.#entries ??= new Map()
    this.#entries.set(number, { message, qos, retain, identifiers, shared, commit: 0 })
    this.#count(1, message.payloadBytes)
    return 0
  }

  get(number: number): KeptMessage | undefined {
    return this.#entries?.get(number)
  }

  release(number: number): Commit {
    this.delete(number) // after PUBREC the message itself is not needed again [MQTT-4.3.3-1]
    return 0
  }

  delete(number: number): void {
    const entry = this.#entries?.get(number)
    if (!entry) return
    this.#entries!.delete(number)
    this.#count(-1, -entry.message.payloadBytes)
  }

  /** Its session has ended, and all that is in it with it. */
  clear(): void {
    this.#count(-(this.#entries?.size ?? 0), -this.bytes)
    this.#entries = undefined
  }

  #count(messages: number, bytes: number): void {
    this.bytes += bytes
    this.#totals.messages += messages
    this.#totals.bytes += bytes
  }
}
