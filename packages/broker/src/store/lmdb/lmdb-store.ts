import type { Will } from '@godwit/protocol'
import { Accounts } from '../../accounts.js'
import { type Commit, commitNumbered, noCommit } from '../../commit.js'
import { BrokerError } from '../../errors.js'
import { defaultLimits, type Limits } from '../../limits.js'
import { type Logger, silentLogger } from '../../log.js'
import type { Message } from '../../message.js'
import { Metrics, type QueueTotals } from '../../metrics.js'
import { checkNames, type NamesOf } from '../../option-names.js'
import { BrokerTime, type Moment } from '../../time/broker-time.js'
import { Chores } from '../../time/chores.js'
import type { Recovered, SessionStore, Store, StoreHost } from '../store.js'
import { Background } from './background.js'
import { type BackupMade, type BackupOptions, Backups } from './backup.js'
import type { BodiesReader } from './bodies-record.js'
import { Clearing } from './clearing.js'
import { type CommitLog, LocalLog, type LogDisk } from './commit-log.js'
import { ensureNoCopy } from './copy.js'
import { Disk, DiskDamage } from './disk.js'
import { DiskRoom } from './disk-room.js'
import { Expiry } from './expiry.js'
import { type Folder, openFolder } from './folder.js'
import { Gathered } from './gathered.js'
import { type GroupNumber, hashOf, type SessionNumber } from './keys.js'
import { type LogKeeper, MessageLog } from './message-log.js'
import { quietLmdb } from './quiet-lmdb.js'
import { writeClock, writeRetained, writeWill } from './records.js'
import { clockKey, Recovery } from './recovery.js'
import { SetAside } from './set-aside.js'
import type { Share } from './share.js'
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

/**
 * Keeps everything in one LMDB file. One commit is in flight; what is written meanwhile is the next one, so a commit's
 * size follows the load, up to a size at which it is closed. A commit that fails (a full disk) is tried again until it succeeds:
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

class LmdbStore implements StoreOnDisk, SessionKeeper, LogKeeper {
  readonly isLasting = true
  flushed: Commit = noCommit
  applied: Commit = noCommit
  onFlushed: () => void = () => {}
  onRoom: () => void = () => {}
  onFailed: (error: BrokerError) => void = () => {}
  gathered = 0
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
  #disk!: Disk
  #log!: CommitLog
  readonly #makeLog: (disk: Disk) => CommitLog
  #room!: DiskRoom
  #setAside!: SetAside
  #clearing!: Clearing
  #background: readonly Background[] = []
  #open: Gathered = new Gathered(commitNumbered(1), 0)
  /** Oldest first. */
  #closed: Closed[] = []
  #inFlight: Closed | undefined
  /** Handed to the log, and not in the tables yet; oldest first. */
  #unapplied: Closed[] = []
  #landing: Promise<void> | undefined
  #scheduled = false
  /** A commit has failed for good: there are no more. */
  #isOver = false
  readonly #backups = new Backups()
  readonly #sessions = new Map<SessionNumber, StoredSession>()
  #nextSession = 1
  #clock: Moment = { wall: 0, time: 0 }
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

  get latest(): Commit {
    return this.#open.isEmpty ? commitNumbered(this.#open.commit - 1) : this.#open.commit
  }

  get full(): boolean {
    return this.#accounts.waiting.isFull
  }

  get isLow(): boolean {
    return this.#tables !== undefined && this.#room.isLow
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
    this.#open = new Gathered(commitNumbered(this.flushed + 1), 0)
    this.#setAside = new SetAside(directory, tables, metrics, log)
    this.#messages = new MessageLog(tables, this.#open.commit, this)
    this.#disk = new Disk({
      directory,
      file: this.#folder!.file,
      tables,
      metrics: metrics.commits,
      log,
      relief: () => this.#relief(),
      onCommitted: () => onStep?.('committed'),
    })
    this.#log = this.#makeLog(this.#disk)
    if (this.#log instanceof LocalLog) ensureNoCopy(directory, tables)
    this.#log.onApplied = (commit) => this.#onApplied(commit)
    this.#room = new DiskRoom({ directory, tables, limits: this.#limits, waiting, stored, metrics, log })
    this.#room.onRoom = () => this.onRoom()
    const write = (one: Write) => void this.write(one)
    const applied = () => this.applied
    this.#clearing = new Clearing({ tables, log: this.#messages, applied, write })
    const expiry = new Expiry({
      tables,
      now: () => this.#time.expiryNow(),
      session: (number) => this.#sessions.get(number),
      write,
      group: (number) => this.#groupOrNone(number),
      leave: (groups) => this.#messages.leave(groups),
      isUnapplied: (session, first) => this.#messages.isUnapplied(session, first),
      failed: (error, owner) => chores.failed(error, owner),
    })
    this.#background = [this.#clearing, expiry].map((work) => new Background(work, chores, this))
    const recovery = new Recovery(tables, this.#setAside, (identity, held) => this.#add(identity, held), write)
    const { recovered, nextSession, ended } = await recovery.recover()
    this.#nextSession = nextSession
    if (recovered.clock) this.#time.continue(recovered.clock, this.#log.stoppedAt)
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
    return this.#noteClock()
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
    if (!this.#tables || !this.#writes) return
    if (this.#time.hasStepped(this.#clock)) this.#noteClock()
    this.#room.look()
    if (!this.#room.isLow && this.#metrics.commits.failing !== undefined) this.#disk.tryNow()
    for (const work of this.#background) work.look()
  }

  endOfPart(): void {
    if (this.#open.isLarge) this.#close()
  }

  #noteClock(): Commit {
    this.#clock = this.#time.moment()
    return this.write({ table: 'facts', key: clockKey, value: writeClock(clockKey, this.#clock) })
  }

  backup(to: string, options: BackupOptions = {}): Promise<BackupMade> {
    const { file = '' } = this.#folder ?? {}
    return this.#backups.make(
      { tables: this.#tables, file, limits: this.#limits, isLow: () => this.isLow },
      to,
      options,
    )
  }

  // ---- what sessions ask for

  write(write: Write): Commit {
    if (!this.#writes) return this.#open.commit // it will never be flushed
    const gathering = this.#gathering()
    const { records } = gathering
    const grown = gathering.write(write)
    this.gathered += grown + (gathering.records - records) * pageBytes
    this.#accounts.waiting.add(grown)
    return this.#schedule()
  }

  charge(bytes: number): void {
    this.#gathering().charge(bytes)
    this.gathered += bytes
    this.#accounts.waiting.add(bytes)
  }

  touch(session: StoredSession): Commit {
    const { commit } = this.#open
    if (session.touchedIn === commit || !this.#writes) return commit
    session.touchedIn = commit
    this.#gathering().touch(session)
    return this.#schedule()
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
      return this.#messages.group(number)
    } catch {
      return undefined // who reads from it will tell
    }
  }

  abandon(): void {
    this.#isAbandoned = true
    for (const work of this.#background) work.close()
  }

  /** False: closed, or abandoned. */
  get #writes(): boolean {
    return this.#tables !== undefined && !this.#isAbandoned
  }

  async close(): Promise<void> {
    if (!this.#tables) return
    this.#log.closing()
    await this.#backups.close()
    const end = (this.#isAbandoned ? await this.#endAbandoned() : await this.#writeOut()) ? 'in order' : 'not in order'
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
    if (this.#isOver) return false // it has been told
    try {
      while (this.#landing || !this.#open.isEmpty || this.#closed.length > 0) await (this.#landing ?? this.#fly())
      this.#noteClock()
      await this.#fly()
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

  // ---- commits

  /** What gathers now; from its first write on it is known when that came. */
  #gathering(): Gathered {
    if (this.#open.since === 0) this.#open = new Gathered(this.#open.commit, performance.now())
    return this.#open
  }

  /** At the end of the turn, unless a commit is in flight: then when that is done. */
  #schedule(): Commit {
    if (!this.#scheduled && !this.#landing) {
      this.#scheduled = true
      setImmediate(() => {
        this.#scheduled = false
        if (!this.#landing && this.#writes && !this.#isOver) this.#fly().catch(() => {}) // it has been told
      })
    }
    return this.#open.commit
  }

  /** Nothing more is gathered into the open commit; another is open from here on. */
  #close(): void {
    const open = this.#open
    const next = commitNumbered(open.commit + 1)
    const now = this.#time.moment()
    if (now.time - this.#clock.time >= clockEveryMs) this.#noteClock()
    const shares = this.#messages.close(next) // first: what is left out of it changes where its session stands
    const writes = open.writes()
    for (const session of open.touched) writes.push(...this.#changesOf(session))
    writes.push(...shares)
    this.#closed.push({ commit: open.commit, since: open.since, bytes: open.bytes, writes, touched: open.touched })
    this.#open = new Gathered(next, 0)
    this.#options.onStep?.('gathered')
  }

  /** What fails for one session is left out of the commit and told: everybody else's must not wait for it. */
  #changesOf(session: StoredSession): readonly Write[] {
    try {
      return session.changes()
    } catch (error) {
      this.#metrics.internalErrors++
      const fields = { clientId: session.identity.name, error: String(error) }
      this.#logger.log('error', 'internal error while writing where a session stands', fields)
      return []
    }
  }

  #fly(): Promise<void> {
    if (this.#closed.length === 0) this.#close()
    const flight = this.#closed.shift()!
    this.#inFlight = flight
    this.#unapplied.push(flight)
    const handedOver = performance.now()
    this.#landing = this.#log.append(flight.commit, flight.writes).then(
      () => this.#landed(flight, handedOver),
      (error: unknown) => this.#crashed(error),
    )
    return this.#landing
  }

  #landed(flight: Closed, handedOver: number): void {
    this.#landing = undefined
    this.#inFlight = undefined
    this.flushed = flight.commit
    if (flight.writes.length > 0) this.#measure(flight, handedOver)
    this.#options.onStep?.('flushed')
    this.#goOn()
    if (this.#closed.length > 0 || !this.#open.isEmpty) this.#schedule()
    try {
      this.onFlushed()
    } catch (error) {
      this.#logger.log('error', 'internal error after a commit', { error: String(error) })
    }
  }

  /** What is read from now on is there with this commit. */
  #onApplied(commit: Commit): void {
    this.applied = commit
    this.#tables!.root.resetReadTxn()
    while (this.#unapplied.length > 0 && this.#unapplied[0]!.commit <= commit) {
      const { bytes, writes } = this.#unapplied.shift()!
      this.#accounts.waiting.add(-bytes)
      this.#room.wrote(sizeOf(writes))
    }
    this.#messages.applied(commit)
  }

  /** It cannot be carried out, now or later. */
  #crashed(error: unknown): never {
    this.#landing = undefined
    this.#isOver = true
    if (error instanceof DiskDamage) this.onFailed(damaged(this.#options.directory, error.message))
    throw error
  }

  #measure({ writes, since }: Closed, handedOver: number): void {
    const now = performance.now()
    const { commits } = this.#metrics
    commits.writes.observe(writes.length)
    commits.latency.observe((now - (since || handedOver)) / 1000)
    commits.fsync.observe((now - handedOver) / 1000)
  }

  /** Removals among all that waits, and where the deliveries of those sessions stand without what is not on disk. */
  #relief(): readonly Write[] {
    const waiting = [this.#inFlight?.writes ?? [], ...this.#closed.map(({ writes }) => writes), this.#open.writes()]
    const removals = waiting.flat().filter(({ table, value }) => value === undefined && makesRoom.has(table))
    if (removals.length === 0) return removals
    const touched = new Set(
      [this.#inFlight?.touched, ...this.#closed.map((one) => one.touched), this.#open.touched].flatMap((set) => [
        ...(set ?? []),
      ]),
    )
    const cursors = [...touched].map((session) => session.cursor(this.#messages.unapplied(session.number)))
    return [...removals, ...cursors.filter((write) => write !== undefined)]
  }

  #goOn(): void {
    for (const work of this.#background) work.goOn()
  }
}

/** Tables whose removals hold nothing back and may come early. */
const makesRoom: ReadonlySet<string> = new Set(['shares', 'bodies', 'due'])

function sizeOf(writes: readonly Write[]): number {
  let bytes = 0
  for (const { key, value } of writes) if (value) bytes += key.length + value.length
  return bytes
}
