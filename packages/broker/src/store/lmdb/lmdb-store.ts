import { statfsSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Will, Writer } from '@godwit/protocol'
import type { Commit } from '../../commit.js'
import { type Logger, silentLogger } from '../../log.js'
import type { Message } from '../../message.js'
import { type CommitMetrics, Metrics, type QueueTotals } from '../../metrics.js'
import { checkNames, type NamesOf } from '../../option-names.js'
import type { Recovered, SessionStore, Store } from '../store.js'
import { type Folder, openFolder } from './folder.js'
import { MessageLog } from './message-log.js'
import { writeMessage } from './message-record.js'
import { recover } from './recovery.js'
import type { Held } from './stored-queue.js'
import { type Identity, type SessionKeeper, StoredSession } from './stored-session.js'
import { hashOf, openTables, type Tables, type Write } from './tables.js'
import { unusable } from './unusable.js'

export interface LmdbStoreOptions {
  /** The data folder; made when it is not there. One process at a time uses it. */
  readonly directory: string
  /** Bytes of messages that may wait for the disk before their senders are not read from. Default 16,777,216. */
  readonly maxWaitingBytes?: number
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** Called between the steps of a commit; crash tests end the process there. */
  readonly onStep?: (step: 'gathered' | 'committed' | 'flushed') => void
}

const names: NamesOf<LmdbStoreOptions> = { directory: true, maxWaitingBytes: true, log: true, onStep: true }

/** How long after a failed commit it is tried again: at first, doubling, and at most. */
const firstRetryMs = 200
const lastRetryMs = 5000
/** How long closing waits for a disk that takes no commits. */
const closeGraceMs = 5000
/** Shares of an ended session cleared away in one commit. */
const clearedAtOnce = 512

/**
 * Keeps everything in one LMDB file. One commit is in flight; what is written meanwhile is the next one, so a commit's
 * size follows the load. A commit that fails (a full disk) is tried again until it succeeds: nothing that waits for it
 * is acknowledged, and nothing is lost.
 * @throws BrokerError `store-failed` from {@link Store.open}: folder in use, of a newer format, damaged, not writable.
 */
export function lmdbStore(options: LmdbStoreOptions): Store {
  checkNames(options, names, 'lmdbStore', { path: 'directory', folder: 'directory', dir: 'directory' })
  return new LmdbStore(options)
}

class LmdbStore implements Store, SessionKeeper {
  flushed: Commit = 0
  onFlushed: () => void = () => {}
  queued: QueueTotals = { messages: 0, bytes: 0 }
  #metrics: CommitMetrics = new Metrics().commits
  /** When the first write came that waits for the next commit, in ms; 0: none does. */
  #waitingSince = 0
  readonly #options: LmdbStoreOptions
  readonly #log: Logger
  #folder: Folder | undefined
  #tables: Tables | undefined
  #messages: MessageLog | undefined
  /** The commit that gathers writes now. */
  #gathering: Commit = 1
  #writes: Write[] = []
  #touched = new Set<StoredSession>()
  /** Payload bytes of retained messages among the writes, and of those in flight. */
  #retainedBytes = 0
  #retainedBytesInFlight = 0
  readonly #sessions = new Map<number, StoredSession>()
  #nextSession = 1
  /** Ended sessions that still have shares, and the commit after which they can be cleared away. */
  readonly #toClear = new Map<number, Commit>()
  #scheduled = false
  #inFlight: Promise<void> | undefined
  #closingSince: number | undefined

  constructor(options: LmdbStoreOptions) {
    this.#options = options
    this.#log = options.log ?? silentLogger
  }

  get tables(): Tables {
    return this.#tables!
  }

  get log(): MessageLog {
    return this.#messages!
  }

  get latest(): Commit {
    return this.#isEmpty() ? this.#gathering - 1 : this.#gathering
  }

  get full(): boolean {
    return (
      this.log.waitingBytes + this.#retainedBytes + this.#retainedBytesInFlight >
      (this.#options.maxWaitingBytes ?? 16_777_216)
    )
  }

  async open(metrics: Metrics = new Metrics()): Promise<Recovered> {
    this.queued = metrics.queued
    this.#metrics = metrics.commits
    const { directory } = this.#options
    this.#folder = await openFolder(directory)
    if (this.#folder.takenOver) this.#log.log('warn', this.#folder.takenOver)
    try {
      this.#tables = openTables(this.#folder.file)
      const [newest = 0] = [...this.#tables.batches.getKeys({ reverse: true, limit: 1 })]
      this.flushed = newest
      this.#gathering = newest + 1
      this.#messages = new MessageLog(this.#tables, this.#gathering, (write) => void this.write(write))
      const { recovered, nextSession, ended } = recover(this.#tables, (identity, held) => this.#add(identity, held))
      this.#nextSession = nextSession
      for (const number of ended) this.#toClear.set(number, 0)
      this.#clearAway()
      return recovered
    } catch (error) {
      await this.#tables?.root.close()
      this.#tables = undefined
      this.#folder.release()
      throw unusable(
        directory,
        `cannot be read (${error instanceof Error ? error.message : error}); restore it from a backup, or choose another folder`,
        error,
      )
    }
  }

  session(clientId: string): SessionStore {
    return this.#add({ number: this.#nextSession++, name: clientId, isGroup: false })
  }

  group(sharedFilter: string): SessionStore {
    return this.#add({ number: this.#nextSession++, name: sharedFilter, isGroup: true })
  }

  setWill(clientId: string, will: Will | undefined, dueAt?: number): Commit {
    if (!this.#tables) return this.#gathering
    const record = will && { clientId, will, dueAt: dueAt ?? null }
    return this.write({ table: this.tables.wills, key: hashOf(clientId), value: record } as unknown as Write)
  }

  setRetained(topic: string, message: Message | undefined): Commit {
    if (!this.#tables) return this.#gathering
    this.#retainedBytes += message?.payloadBytes ?? 0
    let record: Buffer | undefined
    if (message) {
      const w = new Writer(message.payloadBytes + topic.length + 64)
      writeMessage(w, message)
      record = Buffer.from(w.bytes.buffer, 0, w.position)
    }
    return this.write({ table: this.tables.retained, key: hashOf(topic), value: record } as unknown as Write)
  }

  check(): Commit {
    if (!this.#tables) return this.#gathering
    return this.write({ table: this.tables.root, key: 'checked at', value: Date.now() } as unknown as Write)
  }

  write(write: Write): Commit {
    if (!this.#tables) return this.#gathering // closed: it will never be flushed
    this.#writes.push(write)
    return this.#schedule()
  }

  touch(session: StoredSession): Commit {
    this.#touched.add(session)
    return this.#schedule()
  }

  ended(session: StoredSession): void {
    this.#sessions.delete(session.number)
    this.log.leaveOpen(session.number)
    this.#toClear.set(session.number, this.latest)
  }

  async close(): Promise<void> {
    if (!this.#tables) return
    this.#closingSince ??= performance.now()
    try {
      while (this.#inFlight || !this.#isEmpty()) await (this.#inFlight ?? this.#commit())
    } catch {
      // Nothing of it was acknowledged; whoever sent it sends it again.
      this.#log.log('error', 'closed although the disk does not take the last commit', {
        folder: this.#options.directory,
      })
    }
    await this.#tables.root.close()
    this.#folder?.release()
    this.#tables = undefined
  }

  #add(identity: Identity, held?: Held): StoredSession {
    const session = new StoredSession(identity, this, held)
    this.#sessions.set(identity.number, session)
    return session
  }

  #isEmpty(): boolean {
    return this.#writes.length === 0 && this.#touched.size === 0
  }

  /** At the end of the turn, unless a commit is in flight: then when that is done. */
  #schedule(): Commit {
    if (this.#waitingSince === 0) this.#waitingSince = performance.now()
    if (!this.#scheduled && !this.#inFlight) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        if (!this.#inFlight && this.#tables) this.#commit().catch(() => {}) // only closing gives up, and says so
      })
    }
    return this.#gathering
  }

  #commit(): Promise<void> {
    const number = this.#gathering++
    const since = this.#waitingSince
    this.#waitingSince = 0
    const writes = this.#gather(number)
    const handedOver = performance.now()
    this.#inFlight = this.#carryOut(writes).then(() => {
      this.#inFlight = undefined
      this.flushed = number
      if (writes.length > 0) this.#measure(writes.length, since, handedOver)
      this.#retainedBytesInFlight = 0
      this.log.flushed()
      this.#step('flushed')
      this.#clearAway()
      if (!this.#isEmpty()) this.#schedule()
      this.onFlushed()
    })
    return this.#inFlight
  }

  #measure(writes: number, since: number, handedOver: number): void {
    const now = performance.now()
    this.#metrics.writes.observe(writes)
    this.#metrics.latency.observe((now - since) / 1000)
    this.#metrics.fsync.observe((now - handedOver) / 1000)
  }

  /** All that the commit writes, as it is now. */
  #gather(number: Commit): readonly Write[] {
    const batch = this.log.batch(number)!
    const writes = this.#writes
    this.#writes = []
    this.#retainedBytesInFlight = this.#retainedBytes
    this.#retainedBytes = 0
    for (const [session, share] of batch.shares) if (share.left === 0) this.#sessions.get(session)?.queue.closed(number)
    const touched = this.#touched
    this.#touched = new Set()
    for (const session of touched) writes.push(...session.changes())
    writes.push(...this.log.close(number + 1))
    this.#step('gathered')
    return writes
  }

  async #carryOut(writes: readonly Write[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt(writes)
        if (attempt > 1) this.#log.log('info', 'the disk takes commits again', { attempts: attempt })
        this.#metrics.failing = undefined
        return
      } catch (error) {
        const cause = await causeOf(error)
        this.#metrics.failures++
        this.#metrics.failing = inWords(cause, this.#options.directory)
        if (attempt === 1) this.#reportFailure(this.#metrics.failing)
        if (this.#closingSince !== undefined && performance.now() - this.#closingSince > closeGraceMs) throw error
        const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1))
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  #reportFailure(error: string): void {
    const fields = { folder: this.#options.directory, error }
    this.#log.log('error', 'a commit failed; nothing is acknowledged until it succeeds', fields)
  }

  async #attempt(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return
    const { root } = this.tables
    await root.batch(() => {
      for (const { table, key, value } of writes) {
        const settled = value === undefined ? table.remove(key as never) : table.put(key as never, value as never)
        settled.catch(() => {}) // the batch's own promise tells of it
      }
    })
    this.#step('committed')
    await root.flushed
  }

  /**
   * What an ended session still has in batches goes bit by bit, so that no commit grows with its queue; and after the
   * commit that ended it, so that what was written before is seen.
   */
  #clearAway(): void {
    for (const [number, after] of this.#toClear) {
      if (after > this.flushed) continue
      const own = { start: [number, 0] as [number, number], end: [number, Number.MAX_SAFE_INTEGER] as [number, number] }
      const shares = [...this.tables.shares.getKeys({ ...own, limit: clearedAtOnce })]
      for (const [, commit] of shares) this.log.pass(number, commit)
      this.#toClear.delete(number)
      if (shares.length < clearedAtOnce) this.#clearRest(number)
      else this.#toClear.set(number, this.latest)
    }
  }

  #clearRest(number: number): void {
    const { subscriptions, received, cursors, ended } = this.tables
    const range = { start: [number], end: [number + 1] }
    for (const table of [subscriptions, received]) {
      for (const key of table.getKeys(range as never)) this.write({ table, key, value: undefined } as unknown as Write)
    }
    this.write({ table: cursors, key: number, value: undefined } as unknown as Write)
    this.write({ table: ended, key: number, value: undefined } as unknown as Write)
  }

  #step(step: 'gathered' | 'committed' | 'flushed'): void {
    this.#options.onStep?.(step)
  }
}

/** On a full disk lmdb may say no more than "Input/output error": the room that is left says more. */
function inWords(cause: unknown, directory: string): string {
  const words = cause instanceof Error ? cause.message : String(cause)
  try {
    const { bavail, bsize } = statfsSync(directory)
    return `${words}; ${bavail * bsize} bytes are free in ${directory}`
  } catch {
    return words // the folder cannot be looked at either
  }
}

/** What lmdb's "Commit failed" stands for; it tells in a promise that may never settle, and must not reject unseen. */
function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  const cause = commitError?.catch((reason: unknown) => reason)
  return Promise.race([cause ?? error, nextTurn(error)])
}
