import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Commit, later, noCommit } from '../../src/commit.js'
import type { CommitLog } from '../../src/store/lmdb/commit-log.js'
import type { Disk } from '../../src/store/lmdb/disk.js'
import type { Write } from '../../src/store/lmdb/tables.js'

/**
 * A log as a replicated one is: what is safe comes into the tables some turns later, while the next commits are made; and every
 * answer waits for a commit that begins after it.
 */
export class LateLog implements CommitLog {
  readonly isSilent: boolean = false
  onApplied: (commit: Commit) => void = () => {}
  readonly #disk: Disk
  #applying: Promise<void> = Promise.resolve()
  /** The newest that is safe. */
  #safe: Commit = noCommit

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    await nextTurn()
    this.#safe = later(this.#safe, commit)
    this.#applying = this.#applying.then(async () => {
      for (let turn = 0; turn < 3; turn++) await nextTurn()
      await this.#disk.carryOut(writes)
      this.onApplied(commit)
    })
  }

  barrier(gather: () => Commit): Commit {
    return gather()
  }

  beforeQos1(commit: Commit): Commit {
    return commit
  }

  found(): void {}

  low(): void {}

  closing(): void {
    this.#disk.closing()
  }

  async settled(): Promise<void> {
    await this.#applying
  }
}
