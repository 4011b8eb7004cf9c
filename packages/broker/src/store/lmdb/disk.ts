import { statfsSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from '../../log.js'
import type { CommitMetrics } from '../../metrics.js'
import type { CommitTurns } from './commit-turns.js'
import { inWords, isDamage } from './disk-errors.js'
import { reopenTables, sizesOf, type Tables, type Write } from './tables.js'
import { syncAgain } from './unsynced.js'

/** How long after a failed commit it is tried again: at first, doubling, and at most. */
const firstRetryMs = 200
const lastRetryMs = 5000
/** How long closing waits for a disk that takes no commits. */
const closeGraceMs = 5000

/** Commits that fail so soon after one that was told of are only counted. */
const quietMs = 10_000

/** For so long, and for so many bytes, a look at the room on the disk is relied on. */
const lookAfterMs = 250
const lookAfterBytes = 16_777_216
/** What a commit may need beside its records, and for each of them: copies of the pages that lead there. */
const commitRoomBytes = 131_072
const recordRoomBytes = 8_192

const anyKey = Buffer.from('a')

interface DiskParts {
  readonly directory: string
  /** The file of the tables. */
  readonly file: string
  readonly tables: Tables
  readonly turns: CommitTurns
  readonly metrics: CommitMetrics
  readonly log: Logger
  /** What makes room on the disk, of all that waits: tried before a commit that failed is tried again. */
  relief(): readonly Write[]
  onCommitted(): void
}

/** The file is damaged: no later attempt will do better. */
export class DiskDamage extends Error {}

/** Closing could not wait any longer for a disk that takes no commits. */
class DiskRefuses extends Error {}

/** Carries commits out: each in one transaction, again and again until it is on disk. */
export class Disk {
  readonly #parts: DiskParts
  #closingSince: number | undefined
  #wake: (() => void) | undefined
  /** So many bytes more may be written before the room is looked at again. */
  #sureOfBytes = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #reportedAt = Number.NEGATIVE_INFINITY
  /** The log says that commits fail: it has to say when they succeed again. */
  #isReported = false
  /** Whether the last attempt has failed. */
  #hasFailed = false

  constructor(parts: DiskParts) {
    this.#parts = parts
  }

  get directory(): string {
    return this.#parts.directory
  }

  get tables(): Tables {
    return this.#parts.tables
  }

  /** From now on a disk that refuses is waited for only so long. */
  closing(): void {
    this.#closingSince ??= performance.now()
    this.tryNow()
  }

  /** The last commit has failed. */
  get refuses(): boolean {
    return this.#hasFailed
  }

  /** There may be room again: a commit that waits to be tried again is tried at once. */
  tryNow(): void {
    this.#wake?.()
  }

  /**
   * Settles when all of it is on disk.
   * @throws DiskDamage, DiskRefuses
   */
  async carryOut(writes: readonly Write[]): Promise<void> {
    const { metrics, directory } = this.#parts
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt(writes)
        if (attempt > 1) this.#reportEnd(attempt)
        metrics.failing = undefined
        return
      } catch (error) {
        const cause = await causeOf(error)
        metrics.failures++
        metrics.failing = inWords(cause, directory)
        this.#judge(cause)
        if (attempt === 1) this.#report(metrics.failing)
        if (this.#closingSince !== undefined && performance.now() - this.#closingSince > closeGraceMs) {
          throw new DiskRefuses(metrics.failing, { cause })
        }
        if (!(await this.#relieve())) await this.#pause(attempt)
      }
    }
  }

  /**
   * In one transaction, and once.
   * @throws Error what the disk says, in words.
   */
  async once(writes: readonly Write[]): Promise<void> {
    try {
      await this.#attempt(writes)
    } catch (error) {
      const cause = await causeOf(error)
      throw new Error(inWords(cause, this.#parts.directory), { cause })
    }
  }

  /** Writes what makes room ahead of the rest. Answers whether something was written. */
  async #relieve(): Promise<boolean> {
    const writes = this.#parts.relief()
    if (writes.length === 0) return false
    try {
      await this.#attempt(writes)
      return true
    } catch (error) {
      this.#judge(await causeOf(error))
      return false
    }
  }

  /** @throws DiskDamage when trying again is of no use. */
  #judge(cause: unknown): void {
    const { tables, file, directory } = this.#parts
    if (isDamage(cause)) throw new DiskDamage(inWords(cause, directory), { cause })
    try {
      if (!this.#isUsable()) reopenTables(tables, file)
    } catch {
      // the next attempt begins with it
    }
  }

  /** Whether lmdb can go on. Where the disk has refused it a header it cannot, and the next commit would never settle. */
  #isUsable(): boolean {
    try {
      this.#look()
      return true
    } catch {
      return false
    }
  }

  /** Reads from what is there now. */
  #look(): void {
    const { root, facts } = this.#parts.tables
    root.resetReadTxn()
    facts.get(anyKey)
  }

  async #attempt(writes: readonly Write[]): Promise<void> {
    if (writes.length > 0) await this.#parts.turns.take(() => this.#write(writes))
  }

  async #write(writes: readonly Write[]): Promise<void> {
    const { tables, file } = this.#parts
    if (this.#hasFailed) {
      if (!this.#isUsable()) reopenTables(tables, file)
      await syncAgain(file)
    }
    this.#hasFailed = true
    this.#makeSureOfRoom(writes)
    await putAll(tables, writes)
    this.#parts.onCommitted()
    await tables.root.flushed
    this.#look() // lmdb does not say when it could not write that the commit is flushed
    this.#hasFailed = false
  }

  /**
   * A disk that is full is not asked: lmdb may come to harm when its writes are refused (it puts down what happened in less room than
   * that takes).
   * @throws Error when there is less room than the commit may need, on the disk and in free pages of the file.
   */
  #makeSureOfRoom(writes: readonly Write[]): void {
    let needed = commitRoomBytes + writes.length * recordRoomBytes
    for (const { key, value } of writes) if (value) needed += key.length + value.length
    this.#sureOfBytes -= needed
    const now = performance.now()
    if (this.#sureOfBytes > 0 && now - this.#lookedAt < lookAfterMs) return
    const { directory, tables } = this.#parts
    const { file, live } = sizesOf(tables)
    const room = freeOn(directory) + (file - live) / 2 // of free pages, some are still read
    this.#lookedAt = now
    this.#sureOfBytes = Math.min(room / 2 - needed, lookAfterBytes)
    if (room < needed) throw new Error('No space left on device')
  }

  #pause(attempt: number): Promise<void> {
    const isClosing = this.#closingSince !== undefined
    const ms = isClosing ? firstRetryMs : Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1))
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms)
      const wake = done
      this.#wake = wake
      function done(): void {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** A disk that refuses now and then is told of once in a while. */
  #report(error: string): void {
    const now = performance.now()
    if (now - this.#reportedAt < quietMs) return
    this.#reportedAt = now
    this.#isReported = true
    const fields = { folder: this.#parts.directory, error }
    this.#parts.log.log('error', 'a commit failed; nothing is acknowledged until it succeeds', fields)
  }

  #reportEnd(attempts: number): void {
    if (this.#isReported) this.#parts.log.log('info', 'the disk takes commits again', { attempts })
    this.#isReported = false
  }
}

/** Puts writes into the tables, in one transaction; it is on disk once `tables.root.flushed` settles. */
export async function putAll(tables: Tables, writes: readonly Write[]): Promise<void> {
  await tables.root.batch(() => {
    let heard: Promise<boolean> | undefined
    for (const { table, key, value } of writes) {
      const settled = value === undefined ? tables[table].remove(key) : tables[table].put(key, value as Buffer)
      if (settled === heard) continue
      settled.catch(() => {}) // the batch's own promise tells of it
      heard = settled
    }
  })
}

/** Infinite: it cannot be asked. */
function freeOn(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** What lmdb's "Commit failed" stands for; it tells in a promise that may never settle, and must not reject unseen. */
function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  const cause = commitError?.catch((reason: unknown) => reason)
  return Promise.race([cause ?? error, nextTurn(error)])
}
