const highest = 65_535

/** Packet identifiers 1 to 65,535: none is given out that is in use [MQTT-2.3.1-2]. */
export class PacketIds {
  readonly #inUse = new Uint8Array(highest + 1)
  #next = 1
  #free = highest

  /** An identifier that is free, longest unused first by and large; 0 when all are in use. */
  take(): number {
    if (this.#free === 0) return 0
    while (this.#inUse[this.#next] === 1) this.#advance()
    const id = this.#next
    this.#advance()
    this.claim(id)
    return id
  }

  /** Takes this one; false: it is in use. */
  takeThis(id: number): boolean {
    if (this.#inUse[id] === 1) return false
    this.claim(id)
    return true
  }

  /** Those given out from now on begin here. */
  beginAt(id: number): void {
    this.#next = id
  }

  /** Marks an identifier that was given out before, by an earlier process. */
  claim(id: number): void {
    if (this.#inUse[id] === 1) return
    this.#inUse[id] = 1
    this.#free -= 1
  }

  /** Its last acknowledgement has been handled [MQTT-2.3.1-3]. */
  release(id: number): void {
    if (this.#inUse[id] !== 1) return
    this.#inUse[id] = 0
    this.#free += 1
  }

  #advance(): void {
    this.#next = this.#next === highest ? 1 : this.#next + 1
  }
}
