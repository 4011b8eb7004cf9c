import type { Basics } from '../basics.js'
import type { Queue } from '../store/queue.js'

export interface DeliveryOptions {
  /** Of the client it delivers to. */
  readonly clientId: string
  readonly queue: Queue
  /** Whether the session outlives its connection: then a message stays in the queue until it is acknowledged. */
  readonly durable: boolean
  readonly parts: DeliveryParts
}

/** What the deliveries of all sessions work with. */
export type DeliveryParts = Pick<Basics, 'limits' | 'accounts' | 'store' | 'slices' | 'time' | 'drops'>
