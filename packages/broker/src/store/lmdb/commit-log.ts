import { type Commit, noCommit } from '../../commit.js'
import type { Disk } from './disk.js'
import type { Write } from './tables.js'

/** The tables of this machine, for a log that brings into them what others have made safe. */
export interface LogDisk {
  /**
   * Carries writes out in one transaction, which is on disk when this settles. It is tried once: a log that several machines have does not
   * wait for one disk.
   * @throws Error what the disk says, in words.
   */
  once(writes: readonly Write[]): Promise<void>
}

/**
 * What makes commits safe, behind a store. The store hands over one commit after another; the log says of each when it cannot be lost
 * any more, and when its writes are in the store's own tables. That may be later: until then the store reads them from memory.
 */
export interface CommitLog {
  /** Called when all commits up to this one are in the tables: in their order. Set by the store. */
  onApplied: (commit: Commit) => void
  /** Settles when the commit is safe. One at a time. @throws when it never will be. */
  append(commit: Commit, writes: readonly Write[]): Promise<void>
  /**
   * The commit that an answer waits for which has written nothing itself. A broker alone waits for nothing; where another node may have
   * taken over unseen, the answer waits for a commit that is still to become safe, which shows that none has.
   * @param gather has such a one made.
   */
  barrier(gather: () => Commit): Commit
  /** What a message at QoS 1 waits for on its way to a subscriber: its own commit, or nothing, since it may come twice. */
  beforeQos1(commit: Commit): Commit
  /** Nothing has become safe for longer than anybody should wait: what needs a commit is refused until something does. */
  readonly isSilent: boolean
  /** A record in the tables is not what was written: another machine's may be. */
  found(damage: string): void
  /** The disk of this machine is down to its reserve: asked again each second, as long as it is. */
  low(): void
  /** From now on a commit that cannot be made safe is given up after a while. */
  closing(): void
  /** Settles when all that is safe is in the tables. */
  settled(): Promise<void>
  /**
   * When whoever served before has written last, by the wall clock in ms: the broker's time goes on from there, as if no time had
   * passed since. `undefined`, or left out: the time since then counts.
   */
  readonly stoppedAt?: number | undefined
}

/** The disk of this machine: a commit is safe because it is in the tables. */
export class LocalLog implements CommitLog {
  /** A disk that takes no commit is waited for. */
  readonly isSilent: boolean = false
  onApplied: (commit: Commit) => void = () => {}
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    await this.#disk.carryOut(writes)
    this.onApplied(commit)
  }

  barrier(): Commit {
    return noCommit
  }

  beforeQos1(): Commit {
    return noCommit
  }

  /** There is no other copy: what can be read goes on. */
  found(): void {}

  /** What needs room waits, as the store says. */
  low(): void {}

  closing(): void {
    this.#disk.closing()
  }

  async settled(): Promise<void> {}
}
