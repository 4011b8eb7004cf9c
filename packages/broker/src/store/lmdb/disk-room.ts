import { statfsSync } from 'node:fs'
import type { Account } from '../../accounts.js'
import type { Limits } from '../../limits.js'
import type { Logger } from '../../log.js'
import type { Metrics } from '../../metrics.js'
import { sizesOf, type Tables } from './tables.js'

/** Bytes written after which the file is looked at again: a look costs some 50 µs. */
const lookAfterBytes = 1_048_576
const lookAfterMs = 250

/** LMDB copies what it changes: so much must be left for it to remove anything; of a small disk, a tenth. */
const leastReserveBytes = 4_194_304

interface DiskRoomParts {
  readonly directory: string
  readonly tables: Tables
  readonly limits: Pick<Limits, 'diskReserveBytes' | 'diskReservePercent'>
  readonly waiting: Account
  readonly stored: Account
  readonly metrics: Metrics
  readonly log: Logger
}

/** What has to stay free on a disk of so many bytes. */
export function reserveOf(total: number, limits: DiskRoomParts['limits']): number {
  const wanted = Math.min(limits.diskReserveBytes, (total * limits.diskReservePercent) / 100)
  return wanted === 0 ? 0 : Math.max(wanted, Math.min(leastReserveBytes, total / 10))
}

/**
 * How much room there is: on the disk, and in pages of the file that are free. Below the reserve, what needs room has to wait,
 * so that what makes room can still be written.
 */
export class DiskRoom {
  readonly #parts: DiskRoomParts
  #free = Number.POSITIVE_INFINITY
  #reserve = 0
  /** How much this store has added to the account `stored`. */
  #counted = 0
  #written = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #wasLow = false
  /** Called when there is room again. */
  onRoom: () => void = () => {}

  constructor(parts: DiskRoomParts) {
    this.#parts = parts
    this.look()
  }

  /** Whether less than the reserve is left once all that waits is written. */
  get isLow(): boolean {
    const { waiting } = this.#parts
    const left = this.#free - this.#written - waiting.bytes
    if (left >= this.#reserve) return this.#wasLow && this.#judge(left)
    if (!this.#wasLow) this.look() // it may be less bad than it seemed
    return this.#wasLow
  }

  /** So many bytes more were written. */
  wrote(bytes: number): void {
    this.#written += bytes
    this.#counted += bytes
    this.#parts.stored.add(bytes)
    if (this.#wasLow || this.#written >= lookAfterBytes || performance.now() - this.#lookedAt >= lookAfterMs)
      this.look()
  }

  /** Looks at the disk and the file. */
  look(): void {
    const { directory, tables, limits, waiting, stored, metrics } = this.#parts
    this.#lookedAt = performance.now()
    this.#written = 0
    const { live, file } = sizesOf(tables)
    stored.add(live - this.#counted)
    this.#counted = live
    metrics.store.liveBytes = live
    metrics.store.fileBytes = file
    try {
      const { bavail, blocks, bsize } = statfsSync(directory)
      const total = blocks * bsize
      this.#free = bavail * bsize + file - live
      this.#reserve = reserveOf(total, limits)
      metrics.store.freeBytes = this.#free
      metrics.store.reserveBytes = this.#reserve
    } catch {
      this.#free = Number.POSITIVE_INFINITY // it cannot be asked: a commit that fails will tell
    }
    this.#judge(this.#free - waiting.bytes)
  }

  /** Answers whether there is too little. */
  #judge(left: number): boolean {
    const enough = this.#wasLow ? this.#reserve * 1.1 : this.#reserve
    const isLow = left < enough
    if (isLow === this.#wasLow) return isLow
    this.#wasLow = isLow
    const { log, directory, metrics } = this.#parts
    metrics.store.isLow = isLow
    const fields = { folder: directory, freeBytes: Math.round(this.#free), reserveBytes: Math.round(this.#reserve) }
    if (isLow) log.log('warn', 'the disk is down to its reserve: what needs room waits or is refused', fields)
    else {
      log.log('info', 'there is room on the disk again', fields)
      setImmediate(() => this.onRoom())
    }
    return isLow
  }
}
