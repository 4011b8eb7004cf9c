import type { QoS, Will } from '@godwit/protocol'
import type { Accounts } from '../accounts.js'
import type { Commit } from '../commit.js'
import type { BrokerError } from '../errors.js'
import type { Owner } from '../faults.js'
import type { Limits } from '../limits.js'
import type { Message } from '../message.js'
import type { Metrics } from '../metrics.js'
import type { BrokerTime, Moment } from '../time/broker-time.js'
import type { Chores } from '../time/chores.js'
import type { Queue } from './queue.js'

/** What a broker gives the store it opens; what is left out, the store has of its own. */
export interface StoreHost {
  /** Told of commits, of what queues hold, and of the disk. */
  readonly metrics: Metrics
  readonly limits: Limits
  readonly accounts: Accounts
  /** All times that are stored are in it; a store that finds data makes it go on where it stood. */
  readonly time: BrokerTime
  readonly chores: Chores
}

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
  /** More waits than `limits.maxWaitingBytes`: whoever fills it is not read from until {@link onFlushed}. */
  readonly full: boolean
  /** Bytes gathered since the start: what a connection adds to it is that connection's share of what waits. */
  readonly gathered: number
  /**
   * What needs room waits or is refused, what makes room goes on: the disk is down to its reserve, or {@link isSilent}, when waiting is
   * of no use.
   */
  readonly isLow: boolean
  /** Nothing has become durable for longer than anybody should wait. A store that has the disk alone never says so. */
  readonly isSilent: boolean
  /** Whether what is kept outlives the process; its limits of what is kept are then the disk's. */
  readonly isLasting: boolean
  /** Called after `flushed` has risen. One listener: the broker. */
  onFlushed: () => void
  /** Called when {@link isLow} has ended. */
  onRoom: () => void
  /** Called when nothing can be stored any more: the file is damaged. */
  onFailed: (error: BrokerError) => void
  /**
   * Finds what an earlier process left. Called once, before anything else.
   * @throws BrokerError `store-failed`.
   */
  open(host?: Partial<StoreHost>): Promise<Recovered>
  /** Begins the durable state of a new session. */
  session(clientId: string): SessionStore
  /** Begins the durable queue of a shared group: of a session's state it has a queue, and nothing else. */
  group(sharedFilter: string): SessionStore
  /**
   * Keeps the will of a connection, to be published if the process dies; `undefined`: it is published or discarded.
   * @param dueAt in ms of the broker's time; `undefined`: its connection is open.
   */
  setWill(clientId: string, will: Will | undefined, dueAt?: number): Commit
  /** Keeps or, with `undefined`, removes the retained message of a topic. */
  setRetained(topic: string, message: Message | undefined): Commit
  /** Writes what means nothing: once its commit is flushed, the store takes commits. */
  check(): Commit
  /** What an answer waits for that has written nothing itself: nothing, unless another could have taken this broker's place. */
  barrier(): Commit
  /** What a message at QoS 1 waits for on its way to a subscriber, if this is its commit. */
  beforeQos1(commit: Commit): Commit
  /** A second has passed: looks after what expires, and after the disk. */
  tick(): void
  /** All that one packet makes is gathered, or so much of it as can stand alone: a commit that has become large ends here. */
  endOfPart(): void
  /** Another has taken this one's place: nothing is written any more, not by {@link close} either, and no commit is flushed. */
  abandon(): void
  /** Writes out what is gathered and gives everything back. */
  close(): Promise<void>
}

/** The durable part of one session. */
export interface SessionStore {
  readonly queue: Queue
  /** From here on these deliveries are asked where they stand when a commit is made. */
  serves(deliveries: OutgoingSource): void
  /**
   * @param owed not all that is retained has been sent for it.
   * @param isNew the session had no subscription to this filter. Default true.
   */
  setSubscription(filter: string, grant: StoredGrant, owed: boolean, isNew?: boolean): Commit
  deleteSubscription(filter: string): Commit
  /**
   * A page of what came under which packet id has changed: bits of received QoS 2 ids, or sums of messages. Its bytes are read when the
   * commit is made; one without a bit that is set is not kept.
   * @param page 0 to 255.
   */
  setReceived(page: number, bytes: Uint8Array): Commit
  /** A connection uses the session; when it is gone, the session lives on for this long. */
  connected(expirySeconds: number): Commit
  /** No connection uses it any more; it ends at `expiresAt` (ms of the broker's time, infinite = never). */
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
  /** The window of the connection that there is, or was at last: no more than that many may have been sent. */
  readonly maxInflight: number
  /** More than these may have been sent, by a process that ended before it could say so. */
  readonly mayHaveSentMore: boolean
}

/** What the store asks of a session's deliveries. */
export interface OutgoingSource extends Owner {
  /** The lowest number whose handshake is not over. */
  readonly head: number
  state(): OutgoingState
  isDone(number: number): boolean
  /** Whether a message that has expired can be removed: it was never sent [MQTT-4.3.3-7]. */
  mayExpire(number: number): boolean
  /** So many were: see {@link Queue.next}. */
  onExpired(messages: number): void
}

/** What an earlier process left behind. */
export interface Recovered {
  readonly sessions: readonly RecoveredSession[]
  readonly groups: readonly RecoveredGroup[]
  readonly retained: readonly Message[]
  /** Wills that are still to be published, or discarded by a resumption. */
  readonly wills: readonly RecoveredWill[]
  /** Messages that wait in the queues of sessions and shared groups. */
  readonly queued: number
  /** When something was last written; `undefined`: there is nothing, or nothing outlives the process. */
  readonly clock: Moment | undefined
}

/** The queue of a shared group; its members are the sessions that have subscribed to its filter. */
export interface RecoveredGroup {
  /** With `$share` and the group's name. */
  readonly sharedFilter: string
  readonly stored: SessionStore
  readonly outgoing: OutgoingState & QueuedCount
}

/** How many messages there are, of the numbers from head to tail: some may be gone. */
export interface QueuedCount {
  readonly messages: number
}

export interface RecoveredWill {
  readonly clientId: string
  readonly will: Will
  /** In ms of the broker's time; `undefined`: its connection was open when the process ended. */
  readonly dueAt: number | undefined
}

/** How a subscription was granted (5.0, section 3.8.3.1); below 5.0 a QoS is all there is. */
export interface StoredGrant {
  readonly qos: QoS
  /** Messages this client published itself are not wanted. */
  readonly noLocal: boolean
  /** RETAIN stays as published. */
  readonly retainAsPublished: boolean
  /** The Subscription Identifier; 0: none. */
  readonly identifier: number
  /** It is a bridge's: a message that several of these take on is marked. Default false. */
  readonly bridge?: boolean
}

export interface RecoveredSession {
  readonly clientId: string
  readonly stored: SessionStore
  readonly subscriptions: readonly (readonly [filter: string, grant: StoredGrant])[]
  /** Filters among them for which not all that is retained has been sent. */
  readonly owed: readonly string[]
  readonly received: readonly (readonly [page: number, bytes: Uint8Array])[]
  readonly outgoing: OutgoingState & QueuedCount
  /** How long it lives on without a connection. */
  readonly expirySeconds: number
  /** When the session ends, in ms of the broker's time; `undefined`: a connection was using it when the process ended. */
  readonly expiresAt: number | undefined
}
