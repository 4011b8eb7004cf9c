/** Bytes held for connections that have not shown who they are, all together bounded. */
export class Waiting {
  readonly #maxBytes: number
  readonly #held = new Map<object, number>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Notes what a connection holds now. False: that is more than there is room for. */
  holds(connection: object, bytes: number): boolean {
    this.#bytes += bytes - (this.#held.get(connection) ?? 0)
    if (bytes === 0) this.#held.delete(connection)
    else this.#held.set(connection, bytes)
    return this.#bytes <= this.#maxBytes
  }

  release(connection: object): void {
    this.#bytes -= this.#held.get(connection) ?? 0
    this.#held.delete(connection)
  }
}
