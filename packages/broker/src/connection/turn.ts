/** Something that has gathered output in this turn of the event loop. */
export interface Gathering {
  flush(): void
}

/**
 * The end of the turn: everything that gathered output while the sockets of one poll were read is flushed once, so that
 * a connection is written to once a turn however many packets it was sent.
 */
export class Turn {
  #gathering: Gathering[] = []
  #scheduled = false

  add(one: Gathering): void {
    this.#gathering.push(one)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#end)
  }

  readonly #end = (): void => {
    const gathering = this.#gathering
    this.#gathering = []
    this.#scheduled = false
    for (let at = 0; at < gathering.length; at++) gathering[at]!.flush()
  }
}
