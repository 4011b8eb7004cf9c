import type { Commit } from '../../commit.js'
import type { Logger } from '../../log.js'
import type { Recovered, Store, StoreHost } from '../store.js'
import { Background } from './background.js'
import { type BackupMade, type BackupOptions, Backups } from './backup.js'
import { Clearing } from './clearing.js'
import type { CommitLog } from './commit-log.js'
import type { CommitPipeline } from './commit-pipeline.js'
import { Disk, DiskDamage } from './disk.js'
import { DiskRoom } from './disk-room.js'
import { Expiry } from './expiry.js'
import type { OpenData } from './open-data.js'
import { Recovery } from './recovery.js'
import { SetAside } from './set-aside.js'
import { Silence } from './silence.js'
import { StoredSessions } from './stored-sessions.js'
import { damaged } from './unusable.js'

interface OpenStoreParts extends StoreHost {
  readonly pipeline: CommitPipeline
  readonly makeLog: (disk: Disk) => CommitLog
  readonly logger: Logger
  readonly onStep: (step: 'gathered' | 'committed' | 'flushed') => void
  /** Who is told: the store, whose listeners may change. */
  readonly told: Pick<Store, 'onFlushed' | 'onRoom' | 'onFailed'>
}

/** A store from the opening of its data to their closing: all that works on them, joined. */
export class OpenStore {
  readonly sessions: StoredSessions
  readonly log: CommitLog
  readonly #data: OpenData
  readonly #parts: OpenStoreParts
  readonly #setAside: SetAside
  readonly #disk: Disk
  readonly #room: DiskRoom
  readonly #silence: Silence
  readonly #clearing: Clearing
  readonly #background: readonly Background[]
  readonly #backups = new Backups()
  #isOpen = true
  #isAbandoned = false

  /** From here on the pipeline takes writes. @throws BrokerError `store-failed`, for data that are not for this log. */
  constructor(data: OpenData, parts: OpenStoreParts) {
    this.#data = data
    this.#parts = parts
    const { pipeline, makeLog, onStep, told, limits, metrics, time, chores } = parts
    const { waiting, stored } = parts.accounts
    const log = parts.logger
    this.#setAside = new SetAside(data.directory, data.tables, metrics, log)
    this.#setAside.onFound = (damage) => this.log.found(damage)
    this.sessions = new StoredSessions(data.tables, pipeline, this.#setAside, metrics)
    this.sessions.onEnded = (session) => this.#clear(session)
    const relief = () => pipeline.relief()
    this.#disk = new Disk({ ...data, metrics: metrics.commits, log, relief, onCommitted: () => onStep('committed') })
    this.log = makeLog(this.#disk)
    this.#room = new DiskRoom({ ...data, limits, waiting, stored, metrics, log })
    this.#room.onRoom = () => told.onRoom()
    this.#silence = new Silence(this.log, metrics.store, log)
    this.#silence.onEnd = () => told.onRoom()
    this.#clearing = new Clearing(data.tables, this.sessions)
    const expiry = new Expiry(data.tables, this.sessions, time, chores)
    this.#background = [this.#clearing, expiry].map((work) => new Background(work, chores, this.sessions))
    pipeline.start({
      ...{ log: this.log, messages: this.sessions.log, waiting, time, metrics, logger: log, onStep },
      onApplied: (commit, bytes) => this.#onApplied(commit, bytes),
      onFlushed: () => this.#onFlushed(),
      onCrashed: (error) => {
        if (error instanceof DiskDamage) told.onFailed(damaged(data.directory, error.message))
      },
    })
  }

  /** Reads what an earlier process has left, and goes on with what it had not finished. */
  async recover(): Promise<Recovered> {
    const { recovered, ended } = await new Recovery(this.#data.tables, this.#setAside, this.sessions).recover()
    this.#goOnWithTime(recovered)
    for (const session of ended) this.#clearing.add(session, this.#parts.pipeline.flushed)
    for (const work of this.#background) work.look()
    return recovered
  }

  #goOnWithTime({ clock }: Recovered): void {
    const { time, pipeline, logger } = this.#parts
    const { stoppedAt } = this.log
    if (clock) time.continue(clock, stoppedAt)
    if (stoppedAt !== undefined) pipeline.noteClock() // with the first commit: the time until then counts for nothing
    if (time.isSure) return
    logger.log(
      'warn',
      'the clock is behind what it was when data was last written: nothing expires until it is right',
      {
        clock: new Date(time.clock.now()).toISOString(),
        lastWritten: new Date(clock!.wall).toISOString(),
      },
    )
  }

  get isLow(): boolean {
    return this.#isOpen && (this.#room.isLow || this.log.isSilent)
  }

  get isSilent(): boolean {
    return this.#isOpen && this.log.isSilent
  }

  /** Every second. */
  look(): void {
    this.#room.look()
    this.#silence.look()
    if (this.#room.isLow) this.log.low()
    else if (this.#parts.metrics.commits.failing !== undefined) this.#disk.tryNow()
    for (const work of this.#background) work.look()
  }

  backup(to: string, options: BackupOptions): Promise<BackupMade> {
    const { limits } = this.#parts
    const parts = { ...this.#data, limits, isLow: () => this.#room.isLow }
    return this.#backups.make(this.#isOpen ? parts : undefined, to, options)
  }

  #clear(session: number): void {
    this.#clearing.add(session, this.#parts.pipeline.latest)
    for (const work of this.#background) work.look()
  }

  #onFlushed(): void {
    for (const work of this.#background) work.goOn()
    this.#parts.told.onFlushed()
  }

  /** What is read from now on is there with this commit. */
  #onApplied(commit: Commit, bytes: number): void {
    this.#data.tables.root.resetReadTxn()
    this.#room.wrote(bytes)
    this.sessions.log.applied(commit)
  }

  /** Another has taken this one's place: nothing is written any more. */
  abandon(): void {
    this.#isAbandoned = true
    this.#stop()
  }

  /** Writes out what is gathered, if it was not abandoned, and gives the data back. A second call does nothing. */
  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.log.closing()
    await this.#backups.close()
    const isInOrder = this.#isAbandoned ? await this.#settled() : await this.#writtenOut()
    this.#stop()
    this.#isOpen = false
    await this.#data.close(isInOrder ? 'in order' : 'not in order', this.#disk.refuses)
  }

  #stop(): void {
    this.#parts.pipeline.stop()
    for (const work of this.#background) work.close()
  }

  /** What is safe comes into the tables, and nothing else. False: it does not, and is looked through before it is opened again. */
  async #settled(): Promise<boolean> {
    try {
      await this.log.settled()
      return true
    } catch {
      return false
    }
  }

  /** What is gathered, before the end. False: the disk does not take it. */
  async #writtenOut(): Promise<boolean> {
    const { pipeline, logger } = this.#parts
    if (pipeline.isOver) return false // it has been told
    try {
      await pipeline.writeOut()
      await this.log.settled()
      return true
    } catch (error) {
      // Nothing of it was acknowledged; whoever sent it sends it again.
      logger.log('error', 'closed although the disk does not take the last commit', {
        folder: this.#data.directory,
        error: error instanceof Error ? error.message : String(error),
      })
      return false
    }
  }
}
