/** Bytes of records kept in memory for sessions that go on reading them. */
const mostBytes = 8_388_608

/** What was read last, up to a bound: the one used longest ago is forgotten first. */
export class Remembered<T> {
  readonly #entries = new Map<T, number>()
  readonly #forgotten: (entry: T) => void
  #bytes = 0

  /** @param forgotten lets go of what makes the entry large. */
  constructor(forgotten: (entry: T) => void) {
    this.#forgotten = forgotten
  }

  add(entry: T, bytes: number): void {
    this.delete(entry)
    this.#entries.set(entry, bytes)
    this.#bytes += bytes
    for (const [oldest, size] of this.#entries) {
      if (this.#bytes <= mostBytes || oldest === entry) return
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
    const bytes = this.#entries.get(entry)
    if (bytes === undefined) return
    this.#entries.delete(entry)
    this.#bytes -= bytes
  }
}
