import { type Commit, inOrder, isSafe } from '../commit.js'
import { BrokerError } from '../errors.js'
import { Faults, type Owner } from '../faults.js'
import type { Store } from '../store/store.js'

/** What waits for a commit, and for whom. */
interface Waiter {
  readonly callback: () => void
  readonly owner: Owner | undefined
}

/** Callbacks of one commit that run before the event loop goes round: a hundred thousand clients may wait for the same one. */
const callbacksATurn = 2_000

/** Runs callbacks once their commit is flushed, for all connections. */
export class Commits {
  readonly #store: Pick<Store, 'flushed' | 'barrier'>
  readonly #faults: Faults
  readonly #waiting = new Map<Commit, Waiter[]>()
  /** Callbacks whose commit is flushed, and that have not been run yet: some are left for the next turn. */
  #due: Waiter[] = []
  #isRunning = false
  /** Those who wait until nobody does. */
  #idlers: (() => void)[] = []

  constructor(store: Pick<Store, 'flushed' | 'barrier'>, faults: Faults = new Faults()) {
    this.#store = store
    this.#faults = faults
  }

  get flushed(): Commit {
    return this.#store.flushed
  }

  /** What an answer waits for that has written nothing itself. */
  barrier(): Commit {
    return this.#store.barrier()
  }

  isSafe(commit: Commit): boolean {
    return isSafe(commit, this.#store.flushed)
  }

  /**
   * Runs `callback` once the commit is flushed: now, if it is.
   * @param owner whom it is for: what `callback` throws later ends it, and no one else. Default: nobody in particular.
   */
  after(commit: Commit, callback: () => void, owner?: Owner): void {
    if (this.isSafe(commit)) return callback()
    const waiting = this.#waiting.get(commit)
    if (waiting) waiting.push({ callback, owner })
    else this.#waiting.set(commit, [{ callback, owner }])
  }

  /**
   * Resolves once the commit is flushed.
   * @throws BrokerError `closed`, when it never will be. A promise that nobody looks at is not an unhandled rejection.
   */
  whenFlushed(commit: Commit): Promise<void> {
    if (this.isSafe(commit)) return Promise.resolve()
    const flushed = new Promise<void>((resolve, reject) => {
      const why = 'the broker has been closed, and the disk has not taken this message'
      this.after(commit, resolve, { clientId: undefined, onFault: () => reject(new BrokerError('closed', why)) })
    })
    flushed.catch(() => {})
    return flushed
  }

  /** Settles when nobody waits for a commit any more. */
  whenIdle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idlers.push(resolve))
  }

  get #isIdle(): boolean {
    return this.#waiting.size === 0 && !this.#isRunning
  }

  /** The store has flushed more. */
  readonly onFlushed = (): void => {
    const due = [...this.#waiting.keys()].filter((commit) => this.isSafe(commit)).sort(inOrder)
    for (const commit of due) {
      this.#due = this.#due.length === 0 ? this.#waiting.get(commit)! : this.#due.concat(this.#waiting.get(commit)!)
      this.#waiting.delete(commit)
    }
    if (!this.#isRunning) this.#run()
  }

  /** The store is closed: forgets all callbacks that wait. Answers whom they were for. */
  abandon(): ReadonlySet<Owner> {
    const owners = new Set<Owner>()
    for (const waiting of [this.#due, ...this.#waiting.values()]) {
      for (const { owner } of waiting) if (owner) owners.add(owner)
    }
    this.#due = []
    this.#waiting.clear()
    return owners
  }

  readonly #run = (): void => {
    const due = this.#due.length > callbacksATurn ? this.#due.splice(0, callbacksATurn) : this.#due
    if (due === this.#due) this.#due = []
    this.#isRunning = true
    for (const { callback, owner } of due) {
      try {
        callback()
      } catch (error) {
        this.#faults.contain(error, owner, 'what waited for a commit')
      }
    }
    this.#isRunning = this.#due.length > 0
    if (this.#isRunning) setImmediate(this.#run)
    if (!this.#isIdle) return
    for (const resolve of this.#idlers.splice(0)) resolve()
  }
}
