import { type Commit, noCommit } from '../../commit.js'
import type { BrokerTime } from '../../time/broker-time.js'
import type { Chore, Chores } from '../../time/chores.js'
import type { OutgoingSource } from '../store.js'
import type { Portions } from './background.js'
import type { BodiesReader } from './bodies-record.js'
import { dueKey, type GroupNumber, readU32, readU48, shareKey } from './keys.js'
import { expiryIn } from './message-record.js'
import { writeCount } from './records.js'
import { ShareBuilder, ShareReader } from './share-record.js'
import type { StoredSession } from './stored-session.js'
import type { StoredSessions } from './stored-sessions.js'
import type { Tables } from './tables.js'

/** Shares looked at in one portion. */
const sharesAtOnce = 256
/** So many are looked at while the disk takes no commits: those behind them wait. */
const mostAhead = 2_048
/** A share whose messages expire one after another is written anew once in so many seconds. */
const patienceSeconds = 10

/**
 * Removes messages that have expired wherever they stand in a queue [MQTT-3.3.2-5]: a table on the disk says what expires
 * when, so that only what is due is looked at, and no index is in memory.
 */
export class Expiry implements Portions {
  readonly #tables: Tables
  readonly #sessions: StoredSessions
  readonly #time: BrokerTime
  readonly #chores: Chores
  /** The last that was looked at, until what came of that is in the tables: those before it, which stand there still, wait for that. */
  #last: Buffer | undefined
  #lookedIn: Commit = noCommit
  #ahead = 0

  /** @param chores are told what asking a session has failed with: its connection ends. */
  constructor(tables: Tables, sessions: StoredSessions, time: BrokerTime, chores: Chores) {
    this.#tables = tables
    this.#sessions = sessions
    this.#time = time
    this.#chores = chores
  }

  readonly waits = false

  /** What comes of a look is read from memory until it is in the tables. */
  get goesAhead(): boolean {
    return this.#ahead < mostAhead && this.#sessions.log.mayRewriteMore
  }

  portion(): Chore | undefined {
    const now = this.#time.expiryNow()
    if (now < 0) return undefined
    if (this.#lookedIn <= this.#sessions.applied) {
      this.#last = undefined
      this.#ahead = 0
    }
    const end = dueKey(Math.floor(now / 1000) + 1, 0, 0)
    const range = { end, limit: sharesAtOnce }
    const after = this.#last && { start: this.#last, exclusiveStart: true }
    const due = [...this.#tables.due.getKeys({ ...range, ...after })]
    return due.length > 0 ? this.#clear(due, now) : undefined
  }

  *#clear(due: readonly Buffer[], now: number): Chore {
    for (const key of due) yield this.#look(key, now)
  }

  /** Looks at one share that is due. Answers how much work that was. */
  #look(key: Buffer, now: number): number {
    const [session, first] = [readU32(key, 6), readU48(key, 10)]
    const { log } = this.#sessions
    this.#last = key
    this.#ahead++
    this.#lookedIn = this.#sessions.latest
    if (log.isUnapplied(session, first)) return 1
    this.#lookedIn = this.#sessions.write({ table: 'due', key, value: undefined })
    const owner = this.#sessions.get(session)
    try {
      const record = log.latestRecord(session, first)
      if (!owner || !record || owner.queue.isRemoved(first)) return 1 // it went by itself
      return this.#shorten(owner, record, now)
    } catch {
      return 1 // who reads the share will tell
    }
  }

  #shorten(owner: StoredSession, record: ShareReader, now: number): number {
    const { outgoing } = owner
    const kept: number[] = []
    const expiries: number[] = []
    let gone = 0
    let goneBytes = 0
    for (let index = 0; index < record.entries; index++) {
      const number = record.numberAt(index)
      const [at, bytes] = this.#expiryAt(record, index)
      if (at <= now && this.#mayExpire(number, outgoing)) {
        gone++
        goneBytes += bytes
        continue
      }
      if (outgoing?.isDone(number)) continue
      kept.push(index)
      if (at > now && at !== Number.POSITIVE_INFINITY) expiries.push(at)
    }
    // What is on its way to a client stays, and is not looked at again: it goes when it is done.
    const due = nextLook(expiries, now)
    if (gone === 0) {
      if (due > 0) this.#write(record, due)
      owner.queue.postponed(record.first, due)
    } else {
      const share = (kept.length / record.entries) * record.charged
      const bytes = Math.min(
        record.charged,
        kept.length === 0 ? record.charged : Math.max(goneBytes, record.charged - share),
      )
      const left = this.#replace(record, kept, due, record.charged - bytes)
      const had = { messages: gone, bytes }
      owner.queue.shortened(record.first, had, this.#sessions.log.rewrote(record.session, record.first, had, left))
      if (outgoing) this.#expired(gone, outgoing)
    }
    return 2 + (record.entries >> 4)
  }

  #mayExpire(number: number, outgoing: OutgoingSource | undefined): boolean {
    try {
      return outgoing?.mayExpire(number) ?? false
    } catch (error) {
      this.#chores.failed(error, outgoing!)
      return false
    }
  }

  #expired(messages: number, outgoing: OutgoingSource): void {
    try {
      outgoing.onExpired(messages)
    } catch (error) {
      this.#chores.failed(error, outgoing)
    }
  }

  /** When the message of an entry expires, and what it takes. */
  #expiryAt(record: ShareReader, index: number): readonly [at: number, bytes: number] {
    const entry = record.entryAt(index)
    if (entry.body) return [expiryIn(record.bytes, entry.body.start), entry.body.end - entry.body.start]
    const group = this.#groupOrNone(entry.place!.group)
    if (!group) return [Number.POSITIVE_INFINITY, 0]
    const [start, end] = group.boundsAt(entry.place!.index)
    return [expiryIn(group.bytes, start), end - start]
  }

  #groupOrNone(number: GroupNumber): BodiesReader | undefined {
    try {
      return this.#sessions.bodies.group(number)
    } catch {
      return undefined // who reads from it will tell
    }
  }

  #write({ session, first }: ShareReader, due: number): void {
    const key = dueKey(due, session, first)
    this.#sessions.write({ table: 'due', key, value: writeCount('due', key, 0) })
  }

  /** Writes a share anew with the messages that are left of it, and answers it; undefined: none are. */
  #replace(record: ShareReader, kept: readonly number[], due: number, bytes: number): ShareReader | undefined {
    const { session, first, covered, groups } = record
    const key = shareKey(session, first)
    if (kept.length === 0) {
      this.#sessions.write({ table: 'shares', key, value: undefined })
      this.#sessions.bodies.leave(groups)
      return undefined
    }
    const builder = new ShareBuilder(session, first, new Uint8Array(256))
    for (const index of kept) builder.copy(record.numberAt(index), record, index)
    builder.due = due
    const value = builder.finish(covered, bytes, noPlace, groups)
    this.#sessions.write({ table: 'shares', key, value })
    if (due > 0) this.#write(record, due)
    return new ShareReader(session, first, value)
  }
}

const noPlace = (): never => {
  throw new Error('copied entries know their places')
}

/** The second in which it is worth looking again: when an eighth of them has expired, or a little after the first. */
function nextLook(expiries: number[], now: number): number {
  if (expiries.length === 0) return 0
  expiries.sort((a, b) => a - b)
  const first = Math.ceil(expiries[0]! / 1000)
  const eighth = Math.ceil(expiries[expiries.length >> 3]! / 1000)
  return Math.max(Math.min(eighth, first + patienceSeconds), Math.floor(now / 1000) + 1)
}
