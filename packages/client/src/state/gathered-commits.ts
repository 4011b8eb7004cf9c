/** A store that writes all its changes at once. */
interface Committed {
  /** It is loaded, and has not been let go. */
  isOpen(): boolean
  /** Something is to be written. */
  hasChanges(): boolean
  /** Writes what there is now. What fails is among the changes of the next one. */
  commit(): Promise<void>
}

/** Changes are gathered while a commit is under way; the next one has them all. */
export class GatheredCommits {
  readonly #store: Committed
  readonly #soon: (callback: () => void) => void
  #committing: Promise<void> | undefined
  /** What has been gathered since; begins when the one before it has ended. */
  #gathering: Promise<void> | undefined
  #scheduled = false

  /** @param soon calls back when what is being done now is done. */
  constructor(store: Committed, soon: (callback: () => void) => void) {
    this.#store = store
    this.#soon = soon
  }

  flush(): Promise<void> | undefined {
    if (!this.#store.isOpen()) return undefined
    if (!this.#store.hasChanges()) return this.#committing
    if (this.#committing === undefined) return this.#begin()
    const begin = (): Promise<void> => this.#begin()
    this.#gathering ??= this.#committing.then(begin, begin)
    return this.#gathering
  }

  /** Without a connection nobody asks for a flush; a message that waits for one must survive all the same. */
  schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#soon(() => {
      this.#scheduled = false
      this.flush()?.catch(() => {}) // told by the next flush, which tries again
    })
  }

  /** Flushes all there is. Nothing is under way when it settles, also when it rejects. */
  async end(): Promise<void> {
    try {
      for (let flushing = this.flush(); flushing !== undefined; flushing = this.flush()) await flushing
    } finally {
      await Promise.allSettled([this.#committing, this.#gathering])
    }
  }

  #begin(): Promise<void> {
    this.#gathering = undefined
    const done = (): void => {
      if (this.#gathering === undefined) this.#committing = undefined
    }
    this.#committing = this.#store.commit().finally(done)
    return this.#committing
  }
}
