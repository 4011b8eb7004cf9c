import type { Faults } from './faults.js'

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

/** Tells whoever listens of every change, at once and in order. */
export class Changes {
  /** Whether anybody listens: what is told need not be made otherwise. */
  isWatched = false
  readonly #faults: Faults
  readonly #listeners = new Set<{ readonly call: (change: Change) => void }>()

  constructor(faults: Faults) {
    this.#faults = faults
  }

  listen(call: (change: Change) => void): { stop(): void } {
    const listener = { call } // an object of its own: the same function may listen twice
    this.#listeners.add(listener)
    this.isWatched = true
    return {
      stop: () => {
        this.#listeners.delete(listener)
        this.isWatched = this.#listeners.size > 0
      },
    }
  }

  /** A listener that fails is the embedding program's: the broker goes on, and says so. */
  tell(change: Change): void {
    for (const listener of this.#listeners) {
      try {
        listener.call(change)
      } catch (error) {
        this.#faults.ofListener(
          error,
          'a listener of changes failed',
          'clientId' in change ? change.clientId : undefined,
        )
      }
    }
  }
}
