/** Bytes of records kept in memory for sessions that go on reading them. */
export const mostBytes = 8_388_608

/** What was read last, up to a bound: the one used longest ago is forgotten first. */
export class Remembered<T> {
  readonly #entries = new Map<T, number>()
  /** What is not forgotten, whatever is read. */
  readonly #pinned = new Map<T, number>()
  readonly #forgotten: (entry: T) => void
  #bytes = 0
  /** Of these, what is pinned. */
  pinnedBytes = 0

  /** @param forgotten lets go of what makes the entry large. */
  constructor(forgotten: (entry: T) => void) {
    this.#forgotten = forgotten
  }

  add(entry: T, bytes: number): void {
    this.delete(entry)
    this.#entries.set(entry, bytes)
    this.#bytes += bytes
    this.#makeRoom(entry)
  }

  /** Keeps an entry until it is unpinned. It takes its room like any. */
  pin(entry: T, bytes: number): void {
    this.delete(entry)
    this.#pinned.set(entry, bytes)
    this.pinnedBytes += bytes
    this.#bytes += bytes
    this.#makeRoom(entry)
  }

  /** From now on it is an entry like any, the newest; it may have been deleted. */
  unpin(entry: T): void {
    const bytes = this.#pinned.get(entry)
    if (bytes !== undefined) this.add(entry, bytes)
  }

  #makeRoom(newest: T): void {
    for (const [oldest, size] of this.#entries) {
      if (this.#bytes <= mostBytes || oldest === newest) return
      this.#entries.delete(oldest)
      this.#bytes -= size
      this.#forgotten(oldest)
    }
  }

  /** Notes that an entry was used: it is forgotten last. Costs nothing when it was the last one already. */
  use(entry: T): void {
    if (this.#newest === entry) return
    this.#newest = entry
    const bytes = this.#entries.get(entry)
    if (bytes === undefined) return
    this.#entries.delete(entry)
    this.#entries.set(entry, bytes)
  }

  #newest: T | undefined

  delete(entry: T): void {
    const pinned = this.#pinned.get(entry)
    const bytes = pinned ?? this.#entries.get(entry)
    if (bytes === undefined) return
    this.#bytes -= bytes
    if (pinned === undefined) this.#entries.delete(entry)
    else {
      this.#pinned.delete(entry)
      this.pinnedBytes -= bytes
    }
  }
}
