import { type Commit, memoryStore, type SessionStore, type Store } from '../src/index.js'
import { type KeptMessage, MemoryQueue, type QueuedMessage } from '../src/store/queue.js'

/** A store whose commits are flushed when the test says so: between them, what is promised must not be said. */
export class SteppedStore implements Store {
  flushed: Commit = 0
  latest: Commit = 0
  full = false
  onFlushed: () => void = () => {}
  readonly open: Store['open'] = memoryStore().open

  /** All that was gathered is durable now. */
  flush(): void {
    this.flushed = this.latest
    this.onFlushed()
  }

  session(clientId: string): SessionStore {
    const { queue: _, ...memory } = { ...memoryStore().session(clientId) }
    const write = this.#write
    return {
      ...memory,
      queue: new SteppedQueue(write),
      setSubscription: write,
      deleteSubscription: write,
      setReceived: write,
      connected: write,
      disconnected: write,
      delete: write,
    }
  }

  group(sharedFilter: string): SessionStore {
    return this.session(sharedFilter)
  }

  readonly check: Store['check'] = () => this.#write()
  readonly setWill: Store['setWill'] = () => this.#write()
  readonly setRetained: Store['setRetained'] = () => this.#write()

  async close(): Promise<void> {
    this.flush()
  }

  readonly #write = (): Commit => {
    this.latest = this.flushed + 1
    return this.latest
  }
}

class SteppedQueue extends MemoryQueue {
  readonly #write: () => Commit
  readonly #commits = new Map<number, Commit>()

  constructor(write: () => Commit) {
    super()
    this.#write = write
  }

  override put(number: number, entry: QueuedMessage): Commit {
    super.put(number, entry)
    const commit = this.#write()
    this.#commits.set(number, commit)
    return commit
  }

  override get(number: number): KeptMessage | undefined {
    const kept = super.get(number)
    return kept && { ...kept, commit: this.#commits.get(number) ?? 0 }
  }

  override release(number: number): Commit {
    super.release(number)
    return this.#write()
  }
}
