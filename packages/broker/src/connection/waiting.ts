import type { Drops } from '../drops.js'

/** Who holds bytes. */
interface Holder {
  readonly peer: { readonly address: string }
}

/** Bytes held for connections that have not shown who they are, all together bounded. */
export class Waiting {
  readonly #maxBytes: number
  readonly #drops: Pick<Drops, 'refused'>
  readonly #held = new Map<Holder, number>()
  #bytes = 0

  constructor(maxBytes: number, drops: Pick<Drops, 'refused'>) {
    this.#maxBytes = maxBytes
    this.#drops = drops
  }

  /** Notes what a connection holds now. False: that is more than there is room for, or than it may; it is counted as refused. */
  charge(connection: Holder, bytes: number, most: number = Number.POSITIVE_INFINITY): boolean {
    this.#bytes += bytes - (this.#held.get(connection) ?? 0)
    if (bytes === 0) this.#held.delete(connection)
    else this.#held.set(connection, bytes)
    if (bytes <= most && this.#bytes <= this.#maxBytes) return true
    this.#drops.refused('unauthenticated-bytes', connection.peer.address)
    return false
  }

  release(connection: Holder): void {
    this.#bytes -= this.#held.get(connection) ?? 0
    this.#held.delete(connection)
  }
}
