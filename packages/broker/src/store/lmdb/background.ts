import type { Commit } from '../../commit.js'
import type { Chore, Chores } from '../../time/chores.js'

/** Work on what is on the disk, in portions: each reads what the one before it has had written. */
export interface Portions {
  /** The next portion; `undefined`: nothing is to be done now. */
  portion(): Chore | undefined
}

/** Has portions of work done beside traffic, each after the commit of the one before it is on disk. */
export class Background {
  readonly #work: Portions
  readonly #chores: Chores
  readonly #store: { readonly flushed: Commit; readonly latest: Commit }
  #underWay = false
  #closed = false
  #after: Commit = 0

  constructor(work: Portions, chores: Chores, store: { readonly flushed: Commit; readonly latest: Commit }) {
    this.#work = work
    this.#chores = chores
    this.#store = store
  }

  /** Something may have to be done: a commit is on disk, time has passed, or there is something new. */
  goOn(): void {
    if (this.#closed || this.#underWay || this.#after > this.#store.flushed) return
    const portion = this.#work.portion()
    if (!portion) return
    this.#underWay = true
    this.#chores.add(this.#through(portion))
  }

  /** The store is closed: what is left is done when it is opened again. */
  close(): void {
    this.#closed = true
  }

  *#through(portion: Chore): Chore {
    try {
      for (const work of portion) {
        yield work
        if (this.#closed) return
      }
    } finally {
      this.#underWay = false
      this.#after = this.#store.latest
    }
    this.goOn() // at once, if nothing was written
  }
}
