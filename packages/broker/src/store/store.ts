import type { QoS, Will } from '@godwit/protocol'
import type { Message } from '../message.js'
import type { Commit } from './commit.js'
import type { Queue } from './queue.js'

/**
 * What survives the process. Every call is synchronous and only gathers; nothing is durable before its commit is
 * flushed. Order is kept: a commit is whole on disk before the next one is.
 */
export interface Store {
  /** All commits up to this one are durable. */
  readonly flushed: Commit
  /** Called after `flushed` has risen. One listener: the broker. */
  onFlushed: () => void
  /** State kept for the session of a Client Identifier, created if there is none. */
  session(clientId: string): SessionStore
  /** Keeps or, with `undefined`, removes the retained message of a topic. */
  setRetained(topic: string, message: Message | undefined): Commit
  /** Writes out what is gathered and gives everything back. */
  close(): Promise<void>
}

/** The durable part of one session. */
export interface SessionStore {
  readonly queue: Queue
  setSubscription(filter: string, qos: QoS): Commit
  deleteSubscription(filter: string): Commit
  /** Adds a packet id to the set of received and unreleased QoS 2 messages. */
  hold(packetId: number): Commit
  /** Takes it out: the same id is a new message from then on. */
  unhold(packetId: number): Commit
  /** A connection came: its will is kept, to be published if the process dies. */
  connected(will: Will | undefined): Commit
  /** The connection is gone, its will published or discarded; the session ends at `expiresAt` (epoch ms). */
  disconnected(expiresAt: number): Commit
  /** The session has ended and must not rise again. */
  delete(): Commit
}
