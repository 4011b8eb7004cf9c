import { type Clock, type Commit, systemClock } from '@godwit/broker'
import { type CommitLog, type LogDisk, positionWrite, type Write } from '@godwit/broker/store/lmdb'
import type { LogWriter } from '../log/log-writer.js'
import { encodePosition, type Position } from '../log/position.js'

/** A commit that is safe in the log, and not in the tables yet. */
interface Taken {
  readonly commit: Commit
  readonly writes: readonly Write[]
  readonly position: Position
}

/** How long the log may keep clients waiting. */
export interface Patience {
  readonly clock: Clock
  /** Nothing was safe for longer: what needs the log is refused. In ms. */
  readonly holdMs: number
}

/** See {@link Patience.holdMs}. */
export const defaultHoldMs = 15_000

const never = Number.POSITIVE_INFINITY
/** So many commits at most go into the tables in one transaction: those that have become safe while the one before was written. */
const mostTogether = 64

/**
 * Makes a store's commits safe by having them in the log, and then brings them into the tables of this machine: never before, since a
 * copy must not be ahead of the log. Until its node owns the log, nothing that is appended is.
 */
export class ReplicatedLog implements CommitLog {
  onApplied: (commit: Commit) => void = () => {}
  readonly stoppedAt: number | undefined
  /** Called when the disk does not take what is safe. */
  onDiskFailed: (error: Error) => void = () => {}
  /** Called again and again while the disk is down to its reserve. */
  onDiskLow: () => void = () => {}
  /** Called once, when a record in the tables is not what was written. */
  onDamaged: () => void = () => {}
  /** Whether another node could go on, whose tables may be whole. */
  hasOthers: () => boolean = () => false
  #damage: string | undefined
  /** The last frame that is in the tables. */
  applied: Position | undefined
  /** Whether the node owns the log. */
  protected hasBegun = false
  #disk: LogDisk | undefined
  readonly #writer: Promise<LogWriter>
  #begin!: (writer: LogWriter) => void
  #refuse!: (why: Error) => void
  readonly #patience: Patience
  #owner: LogWriter | undefined
  /** Since when the commit waits that is under way, on the monotonic clock, in ms. */
  #waitsSince: number | undefined
  readonly #queue: Taken[] = []
  #applying: Promise<void> = Promise.resolve()
  #isApplying = false
  #isClosing = false
  #hasClosed!: () => void
  /** Settles when the store has nothing more for it. One that could not be closed in order never says so. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#hasClosed = resolve
  })

  /** @param position of the copy that the store is opened on. */
  constructor(position: Position | undefined, patience: Patience = { clock: systemClock, holdMs: defaultHoldMs }) {
    this.#patience = patience
    this.applied = position
    this.stoppedAt = position?.servedAt ?? position?.wall
    this.#writer = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#refuse = reject
    })
    this.#writer.catch(() => {}) // whoever appends is told
  }

  /** The tables, as the store gives them. */
  attach(disk: LogDisk): this {
    this.#disk = disk
    return this
  }

  /** The node owns the log: what has been appended goes into it. */
  begin(writer: LogWriter): void {
    this.hasBegun = true
    this.#owner = writer
    this.#begin(writer)
  }

  /** The node will never own the log: what has been appended fails. */
  refuse(why: Error): void {
    this.#refuse(why)
  }

  get isSilent(): boolean {
    const since = Math.min(this.#owner?.silentSince ?? never, this.#waitsSince ?? never)
    if (since === never) return false
    const { clock, holdMs } = this.#patience
    return clock.monotonic() - since > holdMs
  }

  /** All that is safe is in the tables. */
  get isSettled(): boolean {
    return this.#queue.length === 0
  }

  protected get disk(): LogDisk {
    return this.#disk!
  }

  /**
   * What was found damaged, in words: nothing is written then that stands on it. While the store is loaded it is kept whoever else there
   * may be: who loads it asks, and {@link passOver}s it when nobody has the record.
   */
  get damage(): string | undefined {
    return this.#damage
  }

  /** It goes on without the record: nobody else has it. */
  passOver(): void {
    this.#damage = undefined
  }

  found(damage: string): void {
    if (this.#damage !== undefined || (this.hasBegun && !this.hasOthers())) return
    this.#damage = damage
    this.onDamaged()
  }

  low(): void {
    this.onDiskLow()
  }

  async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    const writer = await this.#writer
    if (this.#damage !== undefined) throw new Error(`a record of this machine is damaged (${this.#damage})`)
    this.#waitsSince = this.#patience.clock.monotonic()
    const position = await writer.commit(writes)
    this.#waitsSince = undefined
    this.#queue.push({ commit, writes, position })
    if (!this.#isApplying) this.#applying = this.#applyAll()
  }

  async #applyAll(): Promise<void> {
    this.#isApplying = true
    try {
      while (this.#queue.length > 0) {
        const together = this.#queue.slice(0, mostTogether)
        const { position } = together.at(-1)!
        await this.disk.once([...together.flatMap(({ writes }) => writes), positionWrite(encodePosition(position))])
        this.#queue.splice(0, together.length)
        this.applied = position
        for (const { commit } of together) this.onApplied(commit)
      }
    } catch (error) {
      this.onDiskFailed(error as Error)
      throw error
    } finally {
      this.#isApplying = false
      this.#applying.catch(() => {}) // who waits for it is told
    }
  }

  /** Every answer waits for a frame that is gathered after its packet was handled: only that shows that nobody else serves. */
  barrier(gather: () => Commit): Commit {
    return gather()
  }

  /** Until its commit is safe its number, and with it its packet id, could come to mean another message. */
  beforeQos1(commit: Commit): Commit {
    return commit
  }

  closing(): void {
    this.#isClosing = true
  }

  async settled(): Promise<void> {
    await this.#applying
    if (this.#isClosing) this.#hasClosed()
  }
}
