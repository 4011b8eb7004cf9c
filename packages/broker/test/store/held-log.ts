import type { Commit } from '../../src/commit.js'
import { LocalLog } from '../../src/store/lmdb/commit-log.js'
import type { Write } from '../../src/store/lmdb/tables.js'

/** The disk of this machine, which takes no commits for a while. */
export class HeldLog extends LocalLog {
  #held: Promise<void> = Promise.resolve()
  #release = (): void => {}

  /** From now on it takes none. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#release()
  }

  override async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    await this.#held
    await super.append(commit, writes)
  }
}
