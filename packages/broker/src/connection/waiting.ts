import type { Drops } from '../drops.js'
import type { Limits } from '../limits.js'

/** Who holds bytes. */
interface Holder {
  readonly peer: { readonly address: string }
}

/** Bytes held for connections that have not shown who they are, all together bounded. */
export class Waiting {
  readonly #limits: Pick<Limits, 'maxUnauthenticatedBytes'>
  readonly #drops: Pick<Drops, 'refused'>
  readonly #held = new Map<Holder, number>()
  #bytes = 0

  constructor(limits: Pick<Limits, 'maxUnauthenticatedBytes'>, drops: Pick<Drops, 'refused'>) {
    this.#limits = limits
    this.#drops = drops
  }

  /** Notes what a connection holds now. False: that is more than there is room for, or than it may; it is counted as refused. */
  charge(connection: Holder, bytes: number, most: number = Number.POSITIVE_INFINITY): boolean {
    this.#bytes += bytes - (this.#held.get(connection) ?? 0)
    if (bytes === 0) this.#held.delete(connection)
    else this.#held.set(connection, bytes)
    if (bytes <= most && this.#bytes <= this.#limits.maxUnauthenticatedBytes) return true
    this.#drops.refused('unauthenticated-bytes', connection.peer.address)
    return false
  }

  release(connection: Holder): void {
    this.#bytes -= this.#held.get(connection) ?? 0
    this.#held.delete(connection)
  }
}
