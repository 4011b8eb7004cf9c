/**
 * Has commits to one file, and whoever opens that file in another process, take turns. Whoever opens an LMDB file, also to read alone, writes
 * into its lock file which commit is the last one, as it has read a moment before: where one is made in between, the next is put in its
 * place, and what it had is lost; or it waits for ever.
 */
export class CommitTurns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs a task when those before it are over, whatever they came to. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const taken = this.#last.then(task)
    this.#last = taken.catch(() => {})
    return taken
  }
}
