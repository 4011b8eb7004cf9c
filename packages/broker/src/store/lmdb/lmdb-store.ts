import type { Will } from '@godwit/protocol'
import { Accounts } from '../../accounts.js'
import type { Commit } from '../../commit.js'
import { BrokerError } from '../../errors.js'
import { defaultLimits, type Limits } from '../../limits.js'
import { type Logger, silentLogger } from '../../log.js'
import type { Message } from '../../message.js'
import { Metrics, type QueueTotals } from '../../metrics.js'
import { checkNames, type NamesOf } from '../../option-names.js'
import { BrokerTime } from '../../time/broker-time.js'
import { Chores } from '../../time/chores.js'
import type { Recovered, SessionStore, Store, StoreHost } from '../store.js'
import { Background } from './background.js'
import { type BackupMade, type BackupOptions, Backups } from './backup.js'
import { Bodies, type BodiesKeeper } from './bodies.js'
import type { BodiesReader } from './bodies-record.js'
import { Clearing } from './clearing.js'
import { type CommitLog, LocalLog, type LogDisk } from './commit-log.js'
import { CommitPipeline } from './commit-pipeline.js'
import { ensureNoCopy } from './copy.js'
import { Disk, DiskDamage } from './disk.js'
import { DiskRoom } from './disk-room.js'
import { Expiry } from './expiry.js'
import { type Folder, openFolder } from './folder.js'
import { type GroupNumber, hashOf, type SessionNumber } from './keys.js'
import { type LogKeeper, MessageLog } from './message-log.js'
import { quietLmdb } from './quiet-lmdb.js'
import { writeRetained, writeWill } from './records.js'
import { Recovery } from './recovery.js'
import { SetAside } from './set-aside.js'
import type { Share } from './share.js'
import { Silence } from './silence.js'
import type { Totals } from './stored-queue.js'
import { type Identity, type SessionKeeper, StoredSession } from './stored-session.js'
import { closeTables, openTables, type Tables, type Write } from './tables.js'
import { damaged, unusable } from './unusable.js'

export interface LmdbStoreOptions {
  /** The data folder; made when it is not there. One process at a time uses it. */
  readonly directory: string
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** Called between the steps of a commit; crash tests end the process there. */
  readonly onStep?: (step: 'gathered' | 'committed' | 'flushed') => void
  /** Makes what has commits safe when it is not this machine's disk alone, as `@godwit/cluster` does. Default: the disk. */
  readonly commitLog?: (disk: LogDisk) => CommitLog
}

const names: NamesOf<LmdbStoreOptions> = { directory: true, log: true, onStep: true, commitLog: true }

/** What {@link lmdbStore} makes. */
export interface StoreOnDisk extends Store {
  /**
   * Copies all that is committed into a new file while the store works on: compacted, with mode 0600, by a process of its own.
   * `restoreBackup` makes a data folder of it.
   * @param to must not be there; its folder must.
   * @throws BrokerError `backup-failed`: no room beside the reserve of the disk, no time, not writable, not open; another is being made.
   */
  backup(to: string, options?: BackupOptions): Promise<BackupMade>
}

/**
 * Keeps everything in one LMDB file. A commit that fails (a full disk) is tried again until it succeeds:
 * nothing that waits for it is acknowledged, and nothing is lost.
 * @throws BrokerError `store-failed` from {@link Store.open}: folder in use, of a newer format, damaged, not writable.
 */
export function lmdbStore(options: LmdbStoreOptions): StoreOnDisk {
  checkNames(options, names, 'lmdbStore', { path: 'directory', folder: 'directory', dir: 'directory' })
  return storeBehind(options, options.commitLog ?? ((disk) => new LocalLog(disk)))
}

/** The same, with commits made safe by another log than the disk alone. */
export function storeBehind(options: LmdbStoreOptions, makeLog: (disk: Disk) => CommitLog): StoreOnDisk {
  return new LmdbStore(options, makeLog)
}

class LmdbStore implements StoreOnDisk, SessionKeeper, LogKeeper, BodiesKeeper {
  readonly isLasting = true
  onFlushed: () => void = () => {}
  onRoom: () => void = () => {}
  onFailed: (error: BrokerError) => void = () => {}
  readonly #options: LmdbStoreOptions
  readonly #logger: Logger
  #metrics: Metrics = new Metrics()
  #limits: Limits = defaultLimits
  #accounts: Accounts = new Accounts()
  #time: BrokerTime = new BrokerTime()
  #folder: Folder | undefined
  /** Lets lmdb write to stderr again. */
  #loud: () => void = () => {}
  /** `undefined`: not open. */
  #tables: Tables | undefined
  #messages!: MessageLog
  #bodies!: Bodies
  #disk!: Disk
  #log!: CommitLog
  readonly #makeLog: (disk: Disk) => CommitLog
  #room!: DiskRoom
  #silence!: Silence
  #setAside!: SetAside
  #clearing!: Clearing
  #background: readonly Background[] = []
  readonly #pipeline = new CommitPipeline()
  readonly #backups = new Backups()
  readonly #sessions = new Map<SessionNumber, StoredSession>()
  #nextSession = 1
  #isAbandoned = false

  constructor(options: LmdbStoreOptions, makeLog: (disk: Disk) => CommitLog) {
    this.#options = options
    this.#makeLog = makeLog
    this.#logger = options.log ?? silentLogger
  }

  get log(): MessageLog {
    return this.#messages
  }

  get queued(): QueueTotals {
    return this.#metrics.queued
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

  get gathered(): number {
    return this.#pipeline.gathered
  }

  get full(): boolean {
    return this.#accounts.waiting.isFull
  }

  get isLow(): boolean {
    return this.#tables !== undefined && (this.#room.isLow || this.#log.isSilent)
  }

  get isSilent(): boolean {
    return this.#tables !== undefined && this.#log.isSilent
  }

  async open(host: Partial<StoreHost> = {}): Promise<Recovered> {
    const { metrics = this.#metrics, limits = defaultLimits, accounts = this.#accounts, time = this.#time } = host
    this.#metrics = metrics
    this.#limits = limits
    this.#accounts = accounts
    this.#time = time
    const { directory } = this.#options
    this.#loud = quietLmdb(() => {}) // a commit that fails is told by whoever waits for it
    try {
      this.#folder = await openFolder(directory, this.#logger)
    } catch (error) {
      this.#loud()
      throw error
    }
    try {
      this.#tables = openTables(this.#folder.file)
      const { recovered, ended } = await this.#takeUp(this.#tables, host.chores ?? new Chores())
      for (const session of ended) this.#clearing.add(session, this.flushed)
      for (const work of this.#background) work.look()
      return recovered
    } catch (error) {
      this.#pipeline.stop()
      await this.#tables?.root.close()
      this.#tables = undefined
      this.#folder.release('not in order')
      this.#loud()
      throw error instanceof BrokerError
        ? error
        : unusable(
            directory,
            `cannot be read (${error instanceof Error ? error.message : error}); see "godwit store check", restore it from a backup, or choose another folder`,
            error,
          )
    }
  }

  async #takeUp(tables: Tables, chores: Chores): Promise<{ recovered: Recovered; ended: readonly SessionNumber[] }> {
    const { directory, onStep } = this.#options
    const { waiting, stored } = this.#accounts
    const metrics = this.#metrics
    const log = this.#logger
    this.#setAside = new SetAside(directory, tables, metrics, log)
    this.#setAside.onFound = (damage) => this.#log.found(damage)
    this.#bodies = new Bodies(tables, this)
    this.#messages = new MessageLog(tables, this.#bodies, this.#pipeline.open, this)
    this.#disk = new Disk({
      directory,
      file: this.#folder!.file,
      tables,
      metrics: metrics.commits,
      log,
      relief: () => this.#pipeline.relief(),
      onCommitted: () => onStep?.('committed'),
    })
    this.#log = this.#makeLog(this.#disk)
    if (this.#log instanceof LocalLog) ensureNoCopy(directory, tables)
    this.#room = new DiskRoom({ directory, tables, limits: this.#limits, waiting, stored, metrics, log })
    this.#room.onRoom = () => this.onRoom()
    this.#silence = new Silence({ commits: this.#log, metrics: metrics.store, log })
    this.#silence.onEnd = () => this.onRoom()
    this.#pipeline.start({
      log: this.#log,
      messages: this.#messages,
      waiting,
      time: this.#time,
      metrics,
      logger: log,
      onStep: (step) => onStep?.(step),
      onApplied: (commit, bytes) => this.#onApplied(commit, bytes),
      onFlushed: () => this.#onFlushed(),
      onCrashed: (error) => {
        if (error instanceof DiskDamage) this.onFailed(damaged(directory, error.message))
      },
    })
    const write = (one: Write) => void this.write(one)
    const applied = () => this.applied
    this.#clearing = new Clearing({ tables, log: this.#messages, applied, write })
    const expiry = new Expiry({
      tables,
      now: () => this.#time.expiryNow(),
      session: (number) => this.#sessions.get(number),
      write,
      group: (number) => this.#groupOrNone(number),
      leave: (groups) => this.#bodies.leave(groups),
      isUnapplied: (session, first) => this.#messages.isUnapplied(session, first),
      failed: (error, owner) => chores.failed(error, owner),
    })
    this.#background = [this.#clearing, expiry].map((work) => new Background(work, chores, this))
    const recovery = new Recovery(tables, this.#setAside, (identity, held) => this.#add(identity, held), write)
    const { recovered, nextSession, ended } = await recovery.recover()
    this.#nextSession = nextSession
    if (recovered.clock) this.#time.continue(recovered.clock, this.#log.stoppedAt)
    if (this.#log.stoppedAt !== undefined) this.#pipeline.noteClock() // with the first commit: the time until then counts for nothing
    if (!this.#time.isSure) {
      log.log('warn', 'the clock is behind what it was when data was last written: nothing expires until it is right', {
        clock: new Date(this.#time.clock.now()).toISOString(),
        lastWritten: new Date(recovered.clock!.wall).toISOString(),
      })
    }
    return { recovered, ended }
  }

  session(clientId: string): SessionStore {
    return this.#add({ number: this.#nextSession++, name: clientId, isGroup: false })
  }

  group(sharedFilter: string): SessionStore {
    return this.#add({ number: this.#nextSession++, name: sharedFilter, isGroup: true })
  }

  setWill(clientId: string, will: Will | undefined, dueAt?: number): Commit {
    const key = hashOf(clientId)
    return this.write({ table: 'wills', key, value: will && writeWill(key, { clientId, will, dueAt }) })
  }

  setRetained(topic: string, message: Message | undefined): Commit {
    const key = hashOf(topic)
    return this.write({ table: 'retained', key, value: message && writeRetained(key, message) })
  }

  check(): Commit {
    return this.#pipeline.noteClock()
  }

  /** One for all barriers: every answer asks for one. */
  readonly #gatherOne = (): Commit => this.check()

  barrier(): Commit {
    return this.#log.barrier(this.#gatherOne)
  }

  beforeQos1(commit: Commit): Commit {
    return this.#log.beforeQos1(commit)
  }

  tick(): void {
    if (!this.#pipeline.takes) return
    this.#pipeline.noteStep()
    this.#room.look()
    this.#silence.look()
    if (this.#room.isLow) this.#log.low()
    if (!this.#room.isLow && this.#metrics.commits.failing !== undefined) this.#disk.tryNow()
    for (const work of this.#background) work.look()
  }

  endOfPart(): void {
    this.#pipeline.endOfPart()
  }

  backup(to: string, options: BackupOptions = {}): Promise<BackupMade> {
    const { file = '' } = this.#folder ?? {}
    return this.#backups.make(
      { tables: this.#tables, file, limits: this.#limits, isLow: () => this.#room.isLow },
      to,
      options,
    )
  }

  // ---- what sessions ask for

  write(write: Write): Commit {
    return this.#pipeline.write(write)
  }

  charge(bytes: number): void {
    this.#pipeline.charge(bytes)
  }

  touch(session: StoredSession): Commit {
    return this.#pipeline.touch(session)
  }

  ended(session: StoredSession): void {
    this.#sessions.delete(session.number)
    this.#messages.leaveOpen(session.number)
    this.#clearing.add(session.number, this.latest)
    for (const work of this.#background) work.look()
  }

  unreadable(session: SessionNumber, number: number, why: unknown): void {
    const { name: clientId, isGroup } = this.#sessions.get(session)!.identity
    this.#metrics.dropped.damaged++
    this.#setAside.tell(new Error(`message ${number}: ${why instanceof Error ? why.message : why}`), {
      ...(isGroup ? { topic: clientId } : { clientId }),
    })
  }

  missing(session: SessionNumber, messages: number): void {
    const { name: clientId } = this.#sessions.get(session)!.identity
    this.#metrics.dropped.damaged += messages
    this.#setAside.tell(new Error(`${messages} messages are not where they should be`), { clientId })
  }

  // ---- what the log asks for

  omitted(share: Share): void {
    this.#sessions.get(share.session)?.queue.omitted(share)
  }

  setAside(table: 'shares' | 'bodies', key: Buffer, why: unknown): void {
    const owner = table === 'shares' ? this.#sessions.get(key.readUInt32BE(0)) : undefined
    this.#setAside.keep(table, key, why, { clientId: owner?.identity.name })
    this.write({ table, key, value: undefined })
  }

  #groupOrNone(number: GroupNumber): BodiesReader | undefined {
    try {
      return this.#bodies.group(number)
    } catch {
      return undefined // who reads from it will tell
    }
  }

  abandon(): void {
    this.#isAbandoned = true
    this.#pipeline.stop()
    for (const work of this.#background) work.close()
  }

  async close(): Promise<void> {
    if (!this.#tables) return
    this.#log.closing()
    await this.#backups.close()
    const end = (this.#isAbandoned ? await this.#endAbandoned() : await this.#writeOut()) ? 'in order' : 'not in order'
    this.#pipeline.stop()
    for (const work of this.#background) work.close()
    const tables = this.#tables
    this.#tables = undefined
    await closeTables(tables, this.#disk.refuses)
    this.#folder?.release(end)
    this.#loud()
  }

  /** What is safe comes into the tables, and nothing else. False: it does not, and is looked through before it is opened again. */
  async #endAbandoned(): Promise<boolean> {
    try {
      await this.#log.settled()
      return true
    } catch {
      return false
    }
  }

  /** What is gathered, before the end. False: the disk does not take it. */
  async #writeOut(): Promise<boolean> {
    if (this.#pipeline.isOver) return false // it has been told
    try {
      await this.#pipeline.writeOut()
      await this.#log.settled()
      return true
    } catch (error) {
      // Nothing of it was acknowledged; whoever sent it sends it again.
      this.#logger.log('error', 'closed although the disk does not take the last commit', {
        folder: this.#options.directory,
        error: error instanceof Error ? error.message : String(error),
      })
      return false
    }
  }

  #add(identity: Identity, held?: Totals): StoredSession {
    const session = new StoredSession(identity, this, held)
    this.#sessions.set(identity.number, session)
    return session
  }

  // ---- what commits tell

  #onFlushed(): void {
    for (const work of this.#background) work.goOn()
    this.onFlushed()
  }

  /** What is read from now on is there with this commit. */
  #onApplied(commit: Commit, bytes: number): void {
    this.#tables!.root.resetReadTxn()
    this.#room.wrote(bytes)
    this.#messages.applied(commit)
  }
}
