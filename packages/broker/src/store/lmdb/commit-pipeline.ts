import type { Account } from '../../accounts.js'
import { type Commit, commitNumbered, noCommit } from '../../commit.js'
import type { Logger } from '../../log.js'
import type { Metrics } from '../../metrics.js'
import type { BrokerTime, Moment } from '../../time/broker-time.js'
import type { CommitLog } from './commit-log.js'
import { Gathered } from './gathered.js'
import { clockKey } from './keys.js'
import type { MessageLog } from './message-log.js'
import { writeClock } from './records.js'
import type { StoredSession } from './stored-session.js'
import type { Write } from './tables.js'

/** A commit that gathers no more, and waits for the disk. */
interface Closed {
  readonly commit: Commit
  readonly since: number
  readonly bytes: number
  readonly writes: readonly Write[]
  readonly touched: ReadonlySet<StoredSession>
}

/** What the disk writes for a small record, roughly: a page for it and one above, since others of its commit lie elsewhere. */
const pageBytes = 8_192

/** How often the relation of the broker's time to the wall clock is written, with a commit that is made anyway. */
const clockEveryMs = 1_000

/** What a pipeline works with, and whom it tells what becomes of commits. */
interface PipelineParts {
  readonly log: CommitLog
  readonly messages: MessageLog
  readonly waiting: Account
  readonly time: BrokerTime
  readonly metrics: Metrics
  readonly logger: Logger
  readonly onStep: (step: 'gathered' | 'flushed') => void
  /** All commits up to this one are in the tables; it has written so many bytes. */
  readonly onApplied: (commit: Commit, bytes: number) => void
  /** A commit is safe. */
  readonly onFlushed: () => void
  /** A commit cannot be carried out, now or later. */
  readonly onCrashed: (error: unknown) => void
}

/**
 * The way of a write: it gathers, its commit is closed, handed to the log, safe, and in the tables. One commit is in flight; what is
 * written meanwhile is the next one, so that a commit's size follows the load, up to a size at which it is closed.
 */
export class CommitPipeline {
  /** All commits up to this one are safe. */
  flushed: Commit = noCommit
  /** All commits up to this one are in the tables. */
  applied: Commit = noCommit
  /** Bytes gathered since the store was made, with what the disk writes beside them. */
  gathered = 0
  #parts!: PipelineParts
  /** False: what is written is not gathered, and never safe. */
  #takes = false
  #open: Gathered = new Gathered(commitNumbered(1), 0)
  /** Oldest first. */
  readonly #closed: Closed[] = []
  #inFlight: Closed | undefined
  /** Handed to the log, and not in the tables yet; oldest first. */
  readonly #unapplied: Closed[] = []
  #landing: Promise<void> | undefined
  #scheduled = false
  /** A commit has failed for good: there are no more. */
  #isOver = false
  #clock: Moment = { wall: 0, time: 0 }

  /** Takes writes from now on. */
  start(parts: PipelineParts): void {
    this.#parts = parts
    parts.log.onApplied = (commit) => this.#onApplied(commit)
    this.#takes = true
  }

  /** What is written from now on is not gathered. */
  stop(): void {
    this.#takes = false
  }

  get takes(): boolean {
    return this.#takes
  }

  /** The commit that gathers now. */
  get open(): Commit {
    return this.#open.commit
  }

  /** The newest with anything in it. */
  get latest(): Commit {
    return this.#open.isEmpty ? commitNumbered(this.#open.commit - 1) : this.#open.commit
  }

  write(write: Write): Commit {
    if (!this.#takes) return this.#open.commit // it will never be flushed
    const gathering = this.#gathering()
    const { records } = gathering
    const grown = gathering.write(write)
    this.gathered += grown + (gathering.records - records) * pageBytes
    this.#parts.waiting.add(grown)
    return this.#schedule()
  }

  /** So many bytes more wait for the coming commit. */
  charge(bytes: number): void {
    this.#gathering().charge(bytes)
    this.gathered += bytes
    this.#parts.waiting.add(bytes)
  }

  /** The coming commit writes where the session stands then. */
  touch(session: StoredSession): Commit {
    const { commit } = this.#open
    if (session.touchedIn === commit || !this.#takes) return commit
    session.touchedIn = commit
    this.#gathering().touch(session)
    return this.#schedule()
  }

  /** Writes the relation of the broker's time to the wall clock. */
  noteClock(): Commit {
    this.#clock = this.#parts.time.moment()
    return this.write({ table: 'facts', key: clockKey, value: writeClock(clockKey, this.#clock) })
  }

  /** The same, when the wall clock has stepped since. */
  noteStep(): void {
    if (this.#parts.time.hasStepped(this.#clock)) this.noteClock()
  }

  /** Closes the commit that gathers, when it is large. */
  endOfPart(): void {
    if (this.#open.isLarge) this.#close()
  }

  /** Settles when all that was written is safe. @throws when it never will be. */
  async writeOut(): Promise<void> {
    while (this.#landing || !this.#open.isEmpty || this.#closed.length > 0) await (this.#landing ?? this.#fly())
    this.noteClock()
    await this.#fly()
  }

  /** A commit has failed for good, and that has been told. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Writes that make room and may go before the commits that they belong to: removals, and for their sessions where the deliveries stand,
   * without messages that are not on disk yet.
   */
  relief(): readonly Write[] {
    const waiting = [this.#inFlight?.writes ?? [], ...this.#closed.map(({ writes }) => writes), this.#open.writes()]
    const removals = waiting.flat().filter(({ table, value }) => value === undefined && makesRoom.has(table))
    if (removals.length === 0) return removals
    const touched = new Set(
      [this.#inFlight?.touched, ...this.#closed.map((one) => one.touched), this.#open.touched].flatMap((set) => [
        ...(set ?? []),
      ]),
    )
    const { messages } = this.#parts
    const cursors = [...touched].map((session) => session.cursor(messages.unapplied(session.number)))
    return [...removals, ...cursors.filter((write) => write !== undefined)]
  }

  /** The commit that gathers; with its first write the time is noted at which that came. */
  #gathering(): Gathered {
    return this.#open.since === 0 ? this.#begin() : this.#open
  }

  #begin(): Gathered {
    this.#open = new Gathered(this.#open.commit, performance.now())
    return this.#open
  }

  /** Has the open commit handed to the log: at the end of the turn, or when the one in flight has landed. */
  #schedule(): Commit {
    if (!this.#scheduled && !this.#landing) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        if (!this.#landing && this.#takes && !this.#isOver) this.#fly().catch(() => {}) // it has been told
      })
    }
    return this.#open.commit
  }

  /** Nothing more is gathered into the open commit; another is open from here on. */
  #close(): void {
    const open = this.#open
    const { messages, time, onStep } = this.#parts
    const next = commitNumbered(open.commit + 1)
    if (time.now() - this.#clock.time >= clockEveryMs) this.noteClock()
    const shares = messages.close(next) // before sessions say where they stand: a share that is left out changes that
    const writes = open.writes()
    for (const session of open.touched) writes.push(...this.#changesOf(session))
    writes.push(...shares)
    this.#closed.push({ commit: open.commit, since: open.since, bytes: open.bytes, writes, touched: open.touched })
    this.#open = new Gathered(next, 0)
    onStep('gathered')
  }

  /** What a session writes. If that fails, it is left out of the commit and told: the commit is everybody's. */
  #changesOf(session: StoredSession): readonly Write[] {
    try {
      return session.changes()
    } catch (error) {
      const { metrics, logger } = this.#parts
      metrics.internalErrors++
      const fields = { clientId: session.identity.name, error: String(error) }
      logger.log('error', 'internal error while writing where a session stands', fields)
      return []
    }
  }

  #fly(): Promise<void> {
    if (this.#closed.length === 0) this.#close()
    const flight = this.#closed.shift()!
    this.#inFlight = flight
    this.#unapplied.push(flight)
    const handedOver = performance.now()
    this.#landing = this.#parts.log.append(flight.commit, flight.writes).then(
      () => this.#landed(flight, handedOver),
      (error: unknown) => this.#crashed(error),
    )
    return this.#landing
  }

  #landed(flight: Closed, handedOver: number): void {
    const { onStep, onFlushed, logger } = this.#parts
    this.#landing = undefined
    this.#inFlight = undefined
    this.flushed = flight.commit
    if (flight.writes.length > 0) this.#measure(flight, handedOver)
    onStep('flushed')
    try {
      onFlushed()
    } catch (error) {
      logger.log('error', 'internal error after a commit', { error: String(error) })
    }
    if (this.#closed.length > 0 || !this.#open.isEmpty) this.#schedule()
  }

  /** What is read from now on is there with this commit. */
  #onApplied(commit: Commit): void {
    this.applied = commit
    let written = 0
    while (this.#unapplied.length > 0 && this.#unapplied[0]!.commit <= commit) {
      const { bytes, writes } = this.#unapplied.shift()!
      this.#parts.waiting.add(-bytes)
      written += sizeOf(writes)
    }
    this.#parts.onApplied(commit, written)
  }

  /** It cannot be carried out, now or later. */
  #crashed(error: unknown): never {
    this.#landing = undefined
    this.#isOver = true
    this.#parts.onCrashed(error)
    throw error
  }

  #measure({ writes, since }: Closed, handedOver: number): void {
    const now = performance.now()
    const { commits } = this.#parts.metrics
    commits.writes.observe(writes.length)
    commits.latency.observe((now - (since || handedOver)) / 1000)
    commits.fsync.observe((now - handedOver) / 1000)
  }
}

/** Tables from which a record may be removed before the rest of its commit is written. */
const makesRoom: ReadonlySet<string> = new Set(['shares', 'bodies'])

function sizeOf(writes: readonly Write[]): number {
  let bytes = 0
  for (const { key, value } of writes) if (value) bytes += key.length + value.length
  return bytes
}
