import type { Commit } from '../commit.js'
import type { Store } from '../store/store.js'

/** What waits for commits, in all connections. */
export class Commits {
  readonly #store: Pick<Store, 'flushed'>
  readonly #waiting = new Map<Commit, (() => void)[]>()

  constructor(store: Pick<Store, 'flushed'>) {
    this.#store = store
  }

  get flushed(): Commit {
    return this.#store.flushed
  }

  /** Runs `callback` once the commit is flushed: now, if it is. */
  after(commit: Commit, callback: () => void): void {
    if (commit <= this.#store.flushed) return callback()
    const waiting = this.#waiting.get(commit)
    if (waiting) waiting.push(callback)
    else this.#waiting.set(commit, [callback])
  }

  /** The store has flushed more. */
  onFlushed(): void {
    const due = [...this.#waiting.keys()].filter((commit) => commit <= this.#store.flushed).sort((a, b) => a - b)
    for (const commit of due) {
      const callbacks = this.#waiting.get(commit)!
      this.#waiting.delete(commit)
      for (const callback of callbacks) callback()
    }
  }
}
