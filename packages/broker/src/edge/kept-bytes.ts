const first = 256

/** What has come in pieces, in one piece. */
export class KeptBytes {
  #room = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length
    if (needed > this.#room.length) {
      const larger = new Uint8Array(Math.max(first, needed, Math.min(2 * this.#room.length, needed + 65_536)))
      larger.set(this.all)
      this.#room = larger
    }
    this.#room.set(chunk, this.#length)
    this.#length = needed
  }

  get all(): Uint8Array {
    return this.#room.subarray(0, this.#length)
  }
}
