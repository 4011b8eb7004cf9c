import { type Commit, noCommit } from '../../commit.js'
import type { Chore, Chores } from '../../time/chores.js'

/** Work on the tables, in portions: each portion reads what the one before it has written. */
export interface Portions {
  /** The next portion; `undefined`: nothing is to be done now. */
  portion(): Chore | undefined
  /** There is nothing to do now, and there will be once a commit is over. */
  readonly waits: boolean
  /** Its next portion does not read what the one before has written: when commits fail, one more is done at each look. */
  readonly goesAhead: boolean
}

interface Commits {
  /** All commits up to this one are in the tables. */
  readonly applied: Commit
  readonly latest: Commit
}

/** Has portions of work done beside traffic, each after the commit of the one before it is on disk. */
export class Background {
  readonly #work: Portions
  readonly #chores: Chores
  readonly #store: Commits
  #underWay = false
  #mayBeMore = true
  #closed = false
  #after: Commit = noCommit

  constructor(work: Portions, chores: Chores, store: Commits) {
    this.#work = work
    this.#chores = chores
    this.#store = store
  }

  /** There may be something to do: time has passed, or there is something new. */
  look(): void {
    this.#mayBeMore = true
    if (this.#work.goesAhead) this.#after = noCommit
    this.goOn()
  }

  /** A commit is on disk: the next portion can be done, if there may be one. */
  goOn(): void {
    if (!this.#mayBeMore || this.#closed || this.#underWay || this.#after > this.#store.applied) return
    const portion = this.#work.portion()
    this.#mayBeMore = portion !== undefined || this.#work.waits
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
