import type { Batch, Batches, BatchListener } from './batches.js'

/** Something of what the broker holds has changed. Topics under `$SYS` are not told of. */
export type Change =
  /** CONNECT was accepted, and the connection of a client is gone. */
  | { readonly type: 'client-connected' | 'client-gone'; readonly clientId: string }
  /** A session began; its last trace is gone. */
  | { readonly type: 'session-created' | 'session-ended'; readonly clientId: string }
  /** A Topic Filter was subscribed to, or again with other options; no longer. */
  | { readonly type: 'subscribed' | 'unsubscribed'; readonly clientId: string; readonly filter: string }
  /** A retained message was kept, also in place of another; removed, or its time was over. */
  | { readonly type: 'retained-set' | 'retained-deleted'; readonly topic: string }

/** Tells whoever listens of every change, in order and in batches, after the work that made it. */
export class Changes {
  /** Whether anybody listens: what is told need not be made otherwise. */
  isWatched = false
  readonly #batches: Batches
  readonly #listeners = new Set<Batch<Change>>()

  constructor(batches: Batches) {
    this.#batches = batches
  }

  listen(tell: BatchListener<Change>): { stop(): void } {
    const batch = this.#batches.make(tell, 'a listener of changes')
    this.#listeners.add(batch)
    this.isWatched = true
    return {
      stop: () => {
        this.#listeners.delete(batch)
        this.isWatched = this.#listeners.size > 0
        batch.stop()
      },
    }
  }

  tell(change: Change): void {
    for (const batch of this.#listeners) batch.add(change)
  }
}
