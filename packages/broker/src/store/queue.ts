import type { QoS } from '@godwit/protocol'
import type { Message } from '../message.js'
import type { Commit } from './commit.js'

/** A message in a session's queue. */
export interface QueuedMessage {
  readonly message: Message
  /** The QoS of this delivery: the lower of the published and the granted one. */
  readonly qos: QoS
  /** The RETAIN flag of this delivery. */
  readonly retain: boolean
}

/** The QoS 1 and 2 messages of one session, each under the number the session gave it. Numbers only ever rise. */
export interface Queue {
  /** How many messages it holds, and their payload bytes. */
  readonly length: number
  readonly bytes: number
  /** Keeps a message. Durable once the commit is flushed. */
  put(number: number, entry: QueuedMessage): Commit
  get(number: number): QueuedMessage | undefined
  /** Marks a QoS 2 message as released (PUBREC received): it is never sent as PUBLISH again. Durable once flushed. */
  release(number: number): Commit
  /** The message is done. Holds nothing back, but comes before any later write that reuses its packet id. */
  delete(number: number): void
  clear(): void
}

/** A queue that lives as long as the process. */
export class MemoryQueue implements Queue {
  readonly #entries = new Map<number, QueuedMessage>()
  bytes = 0

  get length(): number {
    return this.#entries.size
  }

  put(number: number, entry: QueuedMessage): Commit {
    entry.message.keep()
    this.#entries.set(number, entry)
    this.bytes += entry.message.payloadBytes
    return 0
  }

  get(number: number): QueuedMessage | undefined {
    return this.#entries.get(number)
  }

  release(number: number): Commit {
    this.delete(number) // after PUBREC the message itself is not needed again [MQTT-4.3.3-1]
    return 0
  }

  delete(number: number): void {
    const entry = this.#entries.get(number)
    if (!entry) return
    this.#entries.delete(number)
    this.bytes -= entry.message.payloadBytes
  }

  clear(): void {
    this.#entries.clear()
    this.bytes = 0
  }
}
