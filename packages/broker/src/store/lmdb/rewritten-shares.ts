import type { Commit } from '../../commit.js'
import type { SessionNumber } from './keys.js'
import type { Share } from './share.js'

/** What has expired of a share: it is in the tables still, and counts no more. */
export interface Gone {
  readonly messages: number
  readonly bytes: number
}

/** A share that is being written anew. */
interface Rewritten extends Gone {
  readonly session: SessionNumber
  readonly first: number
  /** What is left of it; `undefined`: nothing. */
  readonly share: Share | undefined
  readonly commit: Commit
}

/**
 * Shares that were written anew without what has expired, until that is in the tables: what stands there has the expired messages
 * still, and nobody is to read it any more.
 */
export class RewrittenShares {
  /** Oldest first. */
  readonly #underWay: Rewritten[] = []
  readonly #bySession = new Map<SessionNumber, Rewritten[]>()

  add(rewritten: Rewritten): void {
    const { session } = rewritten
    const own = this.#bySession.get(session)
    if (own) own.push(rewritten)
    else this.#bySession.set(session, [rewritten])
    this.#underWay.push(rewritten)
  }

  /** As it was written last; `undefined`: it was not, and the tables are right. */
  find(session: SessionNumber, first: number): Rewritten | undefined {
    return this.#bySession.get(session)?.findLast((one) => one.first === first)
  }

  /** What the tables have of a session, of shares of which something is left, and should not. */
  goneFrom(session: SessionNumber): Gone {
    let [messages, bytes] = [0, 0]
    for (const one of this.#bySession.get(session) ?? []) {
      if (!one.share) continue
      messages += one.messages
      bytes += one.bytes
    }
    return { messages, bytes }
  }

  /** All commits up to this one are in the tables. Calls `settled` with each share that can be read there now. */
  applied(commit: Commit, settled: (share: Share) => void): void {
    while (this.#underWay.length > 0 && this.#underWay[0]!.commit <= commit) {
      const done = this.#underWay.shift()!
      const own = this.#bySession.get(done.session)!
      own.splice(own.indexOf(done), 1)
      if (own.length === 0) this.#bySession.delete(done.session)
      if (done.share) settled(done.share)
    }
  }
}
