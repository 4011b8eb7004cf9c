import type { Commit } from '../../commit.js'
import { BodiesReader } from './bodies-record.js'
import { type GroupNumber, groupKey } from './keys.js'
import { readCount, writeCount } from './records.js'
import { Remembered } from './remembered.js'
import type { Tables, Write } from './tables.js'

/** So many counts of readers are kept in memory of groups whose commits are in the tables. */
const mostReaders = 20_000

/** How many shares refer to a group, as of the end of a commit. */
interface Readers {
  readonly left: number
  readonly commit: Commit
}

/** What the bodies ask of the store. */
export interface BodiesKeeper {
  /** Gathers a write into the coming commit. */
  write(write: Write): Commit
  /** A record cannot be read: it is set aside, and told. */
  setAside(table: 'bodies', key: Buffer, why: unknown): void
}

/** The groups of messages that several sessions have, on the disk: each goes with the last share that refers to it. */
export class Bodies {
  readonly #tables: Tables
  readonly #keeper: BodiesKeeper
  readonly #groups = new Map<GroupNumber, BodiesReader>()
  readonly #inUse = new Remembered<BodiesReader>((group) => void this.#groups.delete(group.group))
  /** How many shares still refer to a group: of groups where the tables do not say so yet, and of some that were asked for lately. */
  readonly #readers = new Map<GroupNumber, Readers>()

  constructor(tables: Tables, keeper: BodiesKeeper) {
    this.#tables = tables
    this.#keeper = keeper
  }

  /** @throws what is wrong with it. */
  group(number: GroupNumber): BodiesReader {
    const known = this.#groups.get(number)
    if (known) return known
    const value = this.#tables.bodies.get(groupKey(number))
    if (!value) throw new Error('the bodies are not there')
    const group = new BodiesReader(number, value)
    this.#groups.set(number, group)
    this.#inUse.add(group, value.length)
    return group
  }

  /** A commit writes a group that so many shares refer to. */
  begin(group: GroupNumber, readers: number, commit: Commit): void {
    this.#readers.set(group, { left: readers, commit })
  }

  /** One share less refers to each of these groups: a group that no share refers to is removed. */
  leave(groups: readonly GroupNumber[]): void {
    for (const group of groups) this.#leave(group)
  }

  #leave(group: GroupNumber): void {
    const key = groupKey(group)
    const left = this.#readersOf(group, key) - 1
    if (left === Number.POSITIVE_INFINITY) return
    if (left > 0) {
      const commit = this.#keeper.write({ table: 'readers', key, value: writeCount('readers', key, left) })
      this.#readers.set(group, { left, commit })
      return
    }
    this.#readers.delete(group)
    const known = this.#groups.get(group)
    if (known) this.#inUse.delete(known)
    this.#groups.delete(group)
    this.#keeper.write({ table: 'bodies', key, value: undefined })
    this.#keeper.write({ table: 'readers', key, value: undefined })
  }

  /** How many shares refer to a group. Infinite: that cannot be read, and the group is left there rather than removed too early. */
  #readersOf(group: GroupNumber, key: Buffer): number {
    const known = this.#readers.get(group)
    if (known) return known.left
    const changed = this.#tables.readers.get(key)
    if (changed) return readCount('readers', key, changed) ?? Number.POSITIVE_INFINITY
    try {
      return this.group(group).readers
    } catch (error) {
      this.#keeper.setAside('bodies', key, error)
      return Number.POSITIVE_INFINITY
    }
  }

  /** All commits up to this one are in the tables: what is on disk need not be in memory too. */
  applied(commit: Commit): void {
    if (this.#readers.size <= mostReaders) return
    for (const [group, readers] of this.#readers) if (readers.commit <= commit) this.#readers.delete(group)
  }
}
