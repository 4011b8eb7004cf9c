import type { Will } from '@godwit/protocol'
import { Accounts } from '../../accounts.js'
import type { Commit } from '../../commit.js'
import type { BrokerError } from '../../errors.js'
import { defaultLimits } from '../../limits.js'
import { type Logger, silentLogger } from '../../log.js'
import type { Message } from '../../message.js'
import { Metrics } from '../../metrics.js'
import { checkNames, type NamesOf } from '../../option-names.js'
import { BrokerTime } from '../../time/broker-time.js'
import { Chores } from '../../time/chores.js'
import type { Recovered, SessionStore, Store, StoreHost } from '../store.js'
import { type BackupMade, type BackupOptions, notOpen } from './backup.js'
import { type CommitLog, LocalLog, type LogDisk } from './commit-log.js'
import { CommitPipeline } from './commit-pipeline.js'
import { ensureNoCopy } from './copy.js'
import type { Disk } from './disk.js'
import { hashOf } from './keys.js'
import { openData } from './open-data.js'
import { OpenStore } from './open-store.js'
import { writeRetained, writeWill } from './records.js'
import { unreadable } from './unusable.js'

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
  return new LmdbStore(options, options.commitLog ?? alone)
}

/** A copy that follows the log of others is none for a broker that is alone. */
function alone(disk: Disk): CommitLog {
  ensureNoCopy(disk)
  return new LocalLog(disk)
}

class LmdbStore implements StoreOnDisk {
  readonly isLasting = true
  onFlushed: () => void = () => {}
  onRoom: () => void = () => {}
  onFailed: (error: BrokerError) => void = () => {}
  readonly #options: LmdbStoreOptions
  readonly #makeLog: (disk: Disk) => CommitLog
  readonly #pipeline = new CommitPipeline()
  #accounts = new Accounts()
  /** `undefined`: it was never open. What is asked of a store that is closed again is answered, and never safe. */
  #open: OpenStore | undefined

  constructor(options: LmdbStoreOptions, makeLog: (disk: Disk) => CommitLog) {
    this.#options = options
    this.#makeLog = makeLog
  }

  get flushed(): Commit {
    return this.#pipeline.flushed
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
    return this.#open?.isLow ?? false
  }

  get isSilent(): boolean {
    return this.#open?.isSilent ?? false
  }

  async open(host: Partial<StoreHost> = {}): Promise<Recovered> {
    const { metrics = new Metrics(), limits = defaultLimits, accounts = this.#accounts } = host
    const { time = new BrokerTime(), chores = new Chores() } = host
    this.#accounts = accounts
    const { directory, onStep = () => {}, log: logger = silentLogger } = this.#options
    const data = await openData(directory, logger)
    try {
      const open = new OpenStore(data, {
        ...{ metrics, limits, accounts, time, chores, logger, onStep },
        pipeline: this.#pipeline,
        makeLog: this.#makeLog,
        told: this,
      })
      const recovered = await open.recover()
      this.#open = open
      return recovered
    } catch (error) {
      this.#pipeline.stop()
      await data.close('not in order')
      throw unreadable(directory, error)
    }
  }

  session(clientId: string): SessionStore {
    return this.#opened.sessions.begin(clientId, false)
  }

  group(sharedFilter: string): SessionStore {
    return this.#opened.sessions.begin(sharedFilter, true)
  }

  setWill(clientId: string, will: Will | undefined, dueAt?: number): Commit {
    const key = hashOf(clientId)
    return this.#pipeline.write({ table: 'wills', key, value: will && writeWill(key, { clientId, will, dueAt }) })
  }

  setRetained(topic: string, message: Message | undefined): Commit {
    const key = hashOf(topic)
    return this.#pipeline.write({ table: 'retained', key, value: message && writeRetained(key, message) })
  }

  check(): Commit {
    return this.#pipeline.noteClock()
  }

  /** One for all barriers: every answer asks for one. */
  readonly #gatherOne = (): Commit => this.check()

  barrier(): Commit {
    return this.#opened.log.barrier(this.#gatherOne)
  }

  beforeQos1(commit: Commit): Commit {
    return this.#opened.log.beforeQos1(commit)
  }

  tick(): void {
    if (!this.#pipeline.takes) return
    this.#pipeline.noteStep()
    this.#opened.look()
  }

  endOfPart(): void {
    this.#pipeline.endOfPart()
  }

  async backup(to: string, options: BackupOptions = {}): Promise<BackupMade> {
    if (!this.#open) throw notOpen()
    return await this.#open.backup(to, options)
  }

  abandon(): void {
    this.#open?.abandon()
  }

  async close(): Promise<void> {
    await this.#open?.close()
  }

  /** {@link Store.open} comes first. */
  get #opened(): OpenStore {
    return this.#open!
  }
}
