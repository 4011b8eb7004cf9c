import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'

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
 * The QoS 1 and 2 messages of one session, each under the number the session gave it. Numbers only ever rise; some may have no
 * message any more. What is durable when is the store's promise: see {@link Store}.
 */
export interface Queue {
  /** Bytes charged for what it holds: of each message topic, properties, payload, and what the entry takes. */
  readonly bytes: number
  readonly messages: number
  /** Keeps a message. Durable once the commit is flushed. */
  put(number: number, entry: QueuedMessage): Commit
  /** `undefined`: it is gone (expired, or damaged on the disk; both have been told). */
  get(number: number): KeptMessage | undefined
  /** The first number from this one on that has a message; `tail` when none below it has. */
  next(number: number, tail: number): number
  /**
   * Some messages from this number on, in their order, for somebody who looks: nothing of the queue changes, nothing is held that
   * was not. `next` is where to go on; `tail`: there are no more below it.
   */
  peek(
    number: number,
    tail: number,
  ): { readonly entries: readonly (readonly [number, KeptMessage])[]; readonly next: number }
  /** A QoS 2 message is released (PUBREC received): it is never sent as PUBLISH again. Durable once flushed. */
  release(number: number): Commit
  /** The message is done. Holds nothing back, but comes before any later write that reuses its packet id. */
  delete(number: number): void
  /** The session has no connection: nothing is read for a while. */
  rest(): void
  /** The session has nothing to send and nothing open: what is still counted cannot be found, and is told. */
  settle(): void
}
