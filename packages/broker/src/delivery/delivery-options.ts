import type { Account } from '../accounts.js'
import type { Commit } from '../commit.js'
import type { DropReason } from '../metrics.js'
import type { Queue } from '../store/queue.js'
import type { Slices } from '../time/slices.js'

export interface DeliveryOptions {
  /** Of the client it delivers to. */
  readonly clientId: string
  readonly queue: Queue
  /** Whether the session outlives its connection: then a message stays in the queue until it is acknowledged. */
  readonly durable: boolean
  readonly parts: DeliveryParts
}

/** What the deliveries of all sessions work with. */
export interface DeliveryParts {
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  /** What is kept for all sessions. */
  readonly stored: Account
  /** What all that send much share. */
  readonly slices: Slices
  /** What a message at QoS 1 waits for that has this commit: see {@link Store.beforeQos1}. */
  beforeQos1(commit: Commit): Commit
  /** In ms of the broker's time, for messages that expire. */
  now(): number
  onDrop(reason: DropReason, clientId: string): void
}
