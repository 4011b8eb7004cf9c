import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from '../../log.js'
import type { CommitMetrics } from '../../metrics.js'
import { inWords, isDamage } from './disk-errors.js'
import type { Tables, Write } from './tables.js'

/** How long after a failed commit it is tried again: at first, doubling, and at most. */
const firstRetryMs = 200
const lastRetryMs = 5000
/** How long closing waits for a disk that takes no commits. */
const closeGraceMs = 5000

export interface DiskParts {
  readonly directory: string
  readonly tables: Tables
  readonly metrics: CommitMetrics
  readonly log: Logger
  /** What makes room on the disk, of all that waits: tried before a commit that failed is tried again. */
  relief(): readonly Write[]
  onCommitted(): void
}

/** The file is damaged: no later attempt will do better. */
export class DiskDamage extends Error {}

/** Closing could not wait any longer for a disk that takes no commits. */
export class DiskRefuses extends Error {}

/** Carries commits out: each in one transaction, again and again until it is on disk. */
export class Disk {
  readonly #parts: DiskParts
  #closingSince: number | undefined
  #wake: (() => void) | undefined

  constructor(parts: DiskParts) {
    this.#parts = parts
  }

  /** From now on a disk that refuses is waited for only so long. */
  closing(): void {
    this.#closingSince ??= performance.now()
    this.tryNow()
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
    const { metrics, log, directory } = this.#parts
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt(writes)
        if (attempt > 1) log.log('info', 'the disk takes commits again', { attempts: attempt })
        metrics.failing = undefined
        return
      } catch (error) {
        const cause = await causeOf(error)
        metrics.failures++
        metrics.failing = inWords(cause, directory)
        if (isDamage(cause)) throw new DiskDamage(metrics.failing, { cause })
        if (attempt === 1) this.#report(metrics.failing)
        if (this.#closingSince !== undefined && performance.now() - this.#closingSince > closeGraceMs) {
          throw new DiskRefuses(metrics.failing, { cause })
        }
        if (!(await this.#relieve())) await this.#pause(Math.min(lastRetryMs, firstRetryMs * 2 ** (attempt - 1)))
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

  /** What frees room goes first. True: some of it went. */
  async #relieve(): Promise<boolean> {
    const writes = this.#parts.relief()
    if (writes.length === 0) return false
    try {
      await this.#attempt(writes)
      return true
    } catch (error) {
      const cause = await causeOf(error)
      if (isDamage(cause)) throw new DiskDamage(inWords(cause, this.#parts.directory), { cause })
      return false
    }
  }

  async #attempt(writes: readonly Write[]): Promise<void> {
    if (writes.length === 0) return
    const { tables } = this.#parts
    await putAll(tables, writes)
    this.#parts.onCommitted()
    await tables.root.flushed
  }

  #pause(ms: number): Promise<void> {
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

  #report(error: string): void {
    const fields = { folder: this.#parts.directory, error }
    this.#parts.log.log('error', 'a commit failed; nothing is acknowledged until it succeeds', fields)
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

/** What lmdb's "Commit failed" stands for; it tells in a promise that may never settle, and must not reject unseen. */
export function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  const cause = commitError?.catch((reason: unknown) => reason)
  return Promise.race([cause ?? error, nextTurn(error)])
}
