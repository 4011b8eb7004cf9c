import type { Commit } from '../../commit.js'
import type { Chore } from '../../time/chores.js'
import type { Portions } from './background.js'
import { readU48, type SessionNumber, sessionKey } from './keys.js'
import type { StoredSessions } from './stored-sessions.js'
import { endOf, type TableName, type Tables } from './tables.js'

/** Records removed in one portion. */
const recordsAtOnce = 512

/**
 * Removes what ended sessions still have in the tables: bit by bit, so that no commit grows with a queue; and only after the commit that
 * has ended the session, so that all it has written is there to be seen.
 */
export class Clearing implements Portions {
  readonly #tables: Tables
  readonly #sessions: StoredSessions
  /** Ended sessions, and the commit after which they can be cleared away. */
  readonly #ended = new Map<SessionNumber, Commit>()

  constructor(tables: Tables, sessions: StoredSessions) {
    this.#tables = tables
    this.#sessions = sessions
  }

  add(session: SessionNumber, after: Commit): void {
    this.#ended.set(session, after)
  }

  get waits(): boolean {
    return this.#ended.size > 0
  }

  readonly goesAhead = false

  portion(): Chore | undefined {
    const { applied } = this.#sessions
    for (const [session, after] of this.#ended) return after <= applied ? this.#clear(session) : undefined
    return undefined
  }

  *#clear(first: SessionNumber): Chore {
    let left = recordsAtOnce
    for (const [session, after] of this.#ended) {
      if (session !== first && after > this.#sessions.applied) return
      left = yield* this.#clearOne(session, left)
      if (left <= 0) return
      this.#ended.delete(session)
    }
  }

  /** Answers how much more may be done in this portion; 0: there is more of this session. */
  *#clearOne(session: SessionNumber, most: number): Generator<number, number> {
    const prefix = sessionKey(session)
    const own = { start: prefix, end: endOf(prefix) }
    const tables = this.#tables
    const { log } = this.#sessions
    let left = most
    for (const key of [...tables.shares.getKeys({ ...own, limit: left })]) {
      const share = log.opened(session, readU48(key, 4), tables.shares.get(key)!)
      if (share) log.remove(share)
      left--
      yield 2
    }
    for (const table of ['subscriptions', 'received'] satisfies TableName[]) {
      for (const key of left > 0 ? [...tables[table].getKeys({ ...own, limit: left })] : []) {
        this.#sessions.write({ table, key, value: undefined })
        left--
        yield 1
      }
    }
    if (left <= 0) return 0
    for (const table of ['cursors', 'ended'] satisfies TableName[]) {
      this.#sessions.write({ table, key: prefix, value: undefined })
    }
    yield 1
    return left - 1
  }
}
