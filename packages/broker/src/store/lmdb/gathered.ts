import type { Commit } from '../../commit.js'
import type { StoredSession } from './stored-session.js'
import type { TableName, Write } from './tables.js'

/** A commit is closed at this size: a small disk has it written in some tens of milliseconds. */
const closesAtBytes = 2_097_152
const closesAtRecords = 1_000

/** What a record takes beside its key and value while it waits: objects, and its place in a map. */
const recordOverheadBytes = 512

/** Gathers the writes of one commit. */
export class Gathered {
  readonly commit: Commit
  /** When the first of it came, on the monotonic clock, in ms. */
  readonly since: number
  /** Memory that its writes take. */
  bytes = 0
  /** Nothing more should be gathered: the next commit takes what comes. */
  isLarge = false
  readonly touched = new Set<StoredSession>()
  /** A later record takes the place of one with the same key: nobody holds more than one of each. */
  readonly #records = new Map<string, Write>()
  /** Shares and what is due in them: each is written and removed once. */
  readonly #removals: Write[] = []

  constructor(commit: Commit, since: number) {
    this.commit = commit
    this.since = since
  }

  /** Records that each have a place of their own on the disk. */
  get records(): number {
    return this.#records.size + this.#removals.length
  }

  get isEmpty(): boolean {
    return this.#records.size === 0 && this.touched.size === 0 && this.#removals.length === 0
  }

  /** Answers by how many bytes that has grown. */
  write(write: Write): number {
    const bytes = write.key.length + (write.value?.length ?? 0) + recordOverheadBytes
    if (write.table === 'shares' || write.table === 'due') {
      this.#removals.push(write)
      this.#judge()
      this.charge(bytes)
      return bytes
    }
    const name = nameOf(write.table, write.key)
    const before = this.#records.get(name)
    this.#records.set(name, write)
    this.#judge()
    const grown = before ? (write.value?.length ?? 0) - (before.value?.length ?? 0) : bytes
    this.charge(grown)
    return grown
  }

  charge(bytes: number): void {
    this.bytes += bytes
    if (this.bytes >= closesAtBytes) this.isLarge = true
  }

  /** The commit also writes where this session's deliveries stand. */
  touch(session: StoredSession): void {
    this.touched.add(session)
    this.#judge()
  }

  #judge(): void {
    if (this.records + this.touched.size >= closesAtRecords) this.isLarge = true
  }

  /** All of it, removals first: their pages are free for the next commit. */
  writes(): Write[] {
    return [...this.#removals, ...this.#records.values()]
  }
}

function nameOf(table: TableName, key: Buffer): string {
  return table + key.toString('latin1')
}
