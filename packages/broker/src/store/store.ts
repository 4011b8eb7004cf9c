import type { QoS, Will } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'
import type { Queue } from './queue.js'

/**
 * What survives the process. Every call is synchronous and only gathers; it answers the number of the commit its write
 * will be part of, and is durable once that commit is flushed. A commit is on disk whole, or not at all, and before any
 * later one.
 */
export interface Store {
  /** All commits up to this one are durable. */
  readonly flushed: Commit
  /** The newest commit any write was gathered into: what waits for it waits for everything written so far. */
  readonly latest: Commit
  /** More waits for the disk than should: whoever fills it is not read from until {@link onFlushed}. */
  readonly full: boolean
  /** Called after `flushed` has risen. One listener: the broker. */
  onFlushed: () => void
  /** Finds what an earlier process left. Called once, before anything else. @throws BrokerError `store-failed`. */
  open(): Promise<Recovered>
  /** Begins the durable state of a new session. */
  session(clientId: string): SessionStore
  /** Keeps the will of a connection, to be published if the process dies; `undefined`: it is published or discarded. */
  setWill(clientId: string, will: Will | undefined): Commit
  /** Keeps or, with `undefined`, removes the retained message of a topic. */
  setRetained(topic: string, message: Message | undefined): Commit
  /** Writes out what is gathered and gives everything back. */
  close(): Promise<void>
}

/** The durable part of one session. */
export interface SessionStore {
  readonly queue: Queue
  /** Where the deliveries stand, asked for when a commit is made; set by the session. */
  outgoing: OutgoingSource | undefined
  setSubscription(filter: string, qos: QoS): Commit
  deleteSubscription(filter: string): Commit
  /** A page of the set of received QoS 2 ids has changed; its bits are read when the commit is made. */
  setReceived(page: number, bits: Uint8Array): Commit
  /** A connection uses the session. */
  connected(): Commit
  /** No connection uses it any more; it ends at `expiresAt` (epoch ms, infinite = never). */
  disconnected(expiresAt: number): Commit
  /** The session has ended and must not rise again. */
  delete(): Commit
}

/** Where a session's deliveries stand. */
export interface OutgoingState {
  /** The lowest number whose handshake is not over. */
  readonly head: number
  /** The first number that has not been sent. */
  readonly next: number
  /** The number the next message gets. */
  readonly tail: number
  /** A handshake state for each number from `head` to `next` − 1. */
  readonly handshakes: Uint8Array
  /** More than these may have been sent, by a process that ended before it could say so. */
  readonly mayHaveSentMore: boolean
}

/** What the store asks of a session's deliveries. */
export interface OutgoingSource {
  state(): OutgoingState
  isDone(number: number): boolean
}

/** What an earlier process left behind. */
export interface Recovered {
  readonly sessions: readonly RecoveredSession[]
  readonly retained: readonly Message[]
  /** Wills whose connection was open when the process ended. */
  readonly wills: readonly { readonly clientId: string; readonly will: Will }[]
  /** Messages that wait in sessions' queues. */
  readonly queued: number
}

export interface RecoveredSession {
  readonly clientId: string
  readonly stored: SessionStore
  readonly subscriptions: readonly (readonly [filter: string, qos: QoS])[]
  readonly received: readonly (readonly [page: number, bits: Uint8Array])[]
  readonly outgoing: OutgoingState
  /** When the session ends, in epoch ms; `undefined`: a connection was using it when the process ended. */
  readonly expiresAt: number | undefined
}
