import { commitNumbered, noCommit } from '../src/commit.js'
import { type Commit, memoryStore, type SessionStore, type Store } from '../src/index.js'
import { MemoryQueue } from '../src/store/memory-queue.js'
import type { KeptMessage, QueuedMessage } from '../src/store/queue.js'

/** A store whose commits are flushed when the test says so: between them, what is promised must not be said. */
export class SteppedStore implements Store {
  flushed: Commit = noCommit
  latest: Commit = noCommit
  full = false
  gathered = 0
  /** Nothing is flushed for too long. */
  isSilent = false
  readonly isLasting = false
  onFlushed: () => void = () => {}
  onRoom: () => void = () => {}
  onFailed: () => void = () => {}
  get isLow(): boolean {
    return this.isSilent
  }

  readonly open: Store['open'] = (host) => memoryStore().open(host)

  /** All that was gathered is durable now. */
  flush(): void {
    this.flushed = this.latest
    this.onFlushed()
  }

  session(_clientId: string): SessionStore {
    const write = this.#write
    const queue = new SteppedQueue(write)
    return {
      queue,
      serves: (deliveries) => queue.serves(deliveries),
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

  /** Another process could have taken this one's place. */
  isShared = false
  readonly barrier = (): Commit => (this.isShared ? this.#write() : noCommit)
  readonly beforeQos1 = (commit: Commit): Commit => (this.isShared ? commit : noCommit)
  tick(): void {}
  endOfPart(): void {}

  abandon(): void {}

  async close(): Promise<void> {
    this.flush()
  }

  readonly #write = (): Commit => {
    this.latest = commitNumbered(this.flushed + 1)
    this.gathered += 100
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
    return kept && { ...kept, commit: this.#commits.get(number) ?? noCommit }
  }

  override release(number: number): Commit {
    super.release(number)
    return this.#write()
  }
}
