import type { Commit } from '../../commit.js'
import type { Metrics, QueueTotals } from '../../metrics.js'
import { Bodies, type BodiesKeeper } from './bodies.js'
import type { CommitPipeline } from './commit-pipeline.js'
import type { SessionNumber } from './keys.js'
import { type LogKeeper, MessageLog } from './message-log.js'
import type { SetAside, Whose } from './set-aside.js'
import type { Share } from './share.js'
import type { Totals } from './stored-queue.js'
import { type Identity, type SessionKeeper, StoredSession } from './stored-session.js'
import type { Tables, Write } from './tables.js'

/**
 * The sessions and shared groups of a store, with all their messages: what a session, its queue and the messages ask for, and whose it
 * is what cannot be read.
 */
export class StoredSessions implements SessionKeeper, LogKeeper, BodiesKeeper {
  readonly bodies: Bodies
  readonly log: MessageLog
  /** What the queues of all sessions hold. */
  readonly queued: QueueTotals
  /** Called when a session's record is gone, and the rest of it is to be cleared away. */
  onEnded: (session: SessionNumber) => void = () => {}
  readonly #pipeline: CommitPipeline
  readonly #setAside: SetAside
  readonly #metrics: Metrics
  readonly #byNumber = new Map<SessionNumber, StoredSession>()
  #nextNumber: SessionNumber = 1

  constructor(tables: Tables, pipeline: CommitPipeline, setAside: SetAside, metrics: Metrics) {
    this.#pipeline = pipeline
    this.#setAside = setAside
    this.#metrics = metrics
    this.queued = metrics.queued
    this.bodies = new Bodies(tables, this)
    this.log = new MessageLog(tables, this.bodies, pipeline.open, this)
  }

  /** One that was not there before. */
  begin(name: string, isGroup: boolean): StoredSession {
    return this.takeUp({ number: this.#nextNumber, name, isGroup })
  }

  /** @param held what its queue holds on the disk. Default: nothing. */
  takeUp(identity: Identity, held?: Totals): StoredSession {
    const session = new StoredSession(identity, this, held)
    this.#byNumber.set(identity.number, session)
    this.passOver(identity.number)
    return session
  }

  /** A number that was given to a session once is given to no other. */
  passOver(number: SessionNumber): void {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1)
  }

  get(number: SessionNumber): StoredSession | undefined {
    return this.#byNumber.get(number)
  }

  get flushed(): Commit {
    return this.#pipeline.flushed
  }

  get applied(): Commit {
    return this.#pipeline.applied
  }

  get latest(): Commit {
    return this.#pipeline.latest
  }

  write(write: Write): Commit {
    return this.#pipeline.write(write)
  }

  charge(bytes: number): void {
    this.#pipeline.charge(bytes)
  }

  touch(session: StoredSession): Commit {
    return this.#pipeline.touch(session)
  }

  ended({ number }: StoredSession): void {
    this.#byNumber.delete(number)
    this.log.leaveOpen(number)
    this.onEnded(number)
  }

  omitted(share: Share): void {
    this.get(share.session)?.queue.omitted(share)
  }

  unreadable(session: SessionNumber, number: number, why: unknown): void {
    this.#metrics.dropped.damaged++
    const words = `message ${number}: ${why instanceof Error ? why.message : why}`
    this.#setAside.tell(new Error(words), this.#whose(session))
  }

  missing(session: SessionNumber, messages: number): void {
    this.#metrics.dropped.damaged += messages
    this.#setAside.tell(new Error(`${messages} messages are not where they should be`), this.#whose(session))
  }

  setAside(table: 'shares' | 'bodies', key: Buffer, why: unknown): void {
    this.#setAside.keep(table, key, why, table === 'shares' ? this.#whose(key.readUInt32BE(0)) : {})
    this.write({ table, key, value: undefined })
  }

  #whose(session: SessionNumber): Whose {
    const { name, isGroup = false } = this.get(session)?.identity ?? {}
    return isGroup ? { topic: name } : { clientId: name }
  }
}
