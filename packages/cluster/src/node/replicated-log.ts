import type { Commit } from '@godwit/broker'
import { type CommitLog, type LogDisk, positionWrite, type Write } from '@godwit/broker/store/lmdb'
import type { LogWriter } from '../log/log-writer.js'
import { encodePosition, type Position } from '../log/position.js'

/** What is safe and not in the tables yet. */
interface Taken {
  readonly commit: Commit
  readonly writes: readonly Write[]
  readonly position: Position
}

/** Commits that go into the tables in one transaction, at most: what has come meanwhile goes together. */
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
  /** The last frame that is in the tables. */
  applied: Position | undefined
  /** Whether the node owns the log. */
  protected hasBegun = false
  #disk: LogDisk | undefined
  readonly #writer: Promise<LogWriter>
  #begin!: (writer: LogWriter) => void
  #refuse!: (why: Error) => void
  readonly #queue: Taken[] = []
  #applying: Promise<void> = Promise.resolve()
  #isApplying = false

  /** @param position of the copy that the store is opened on. */
  constructor(position: Position | undefined) {
    this.applied = position
    this.stoppedAt = position?.wall
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
    this.#begin(writer)
  }

  /** It never will. */
  refuse(why: Error): void {
    this.#refuse(why)
  }

  /** All that is safe is in the tables. */
  get isSettled(): boolean {
    return this.#queue.length === 0
  }

  protected get disk(): LogDisk {
    return this.#disk!
  }

  async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    const writer = await this.#writer
    const position = await writer.commit(writes)
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

  closing(): void {}

  settled(): Promise<void> {
    return this.#applying
  }
}
