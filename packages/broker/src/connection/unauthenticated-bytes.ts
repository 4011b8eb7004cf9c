import type { Drops } from '../drops.js'
import type { Limits } from '../limits.js'

/** Who is charged for bytes. */
interface Newcomer {
  readonly peer: { readonly address: string }
}

/** Bytes that wait for connections that have not shown who they are, all together bounded. */
export class UnauthenticatedBytes {
  readonly #limits: Pick<Limits, 'maxUnauthenticatedBytes'>
  readonly #drops: Pick<Drops, 'refused'>
  readonly #charged = new Map<Newcomer, number>()
  #bytes = 0

  constructor(limits: Pick<Limits, 'maxUnauthenticatedBytes'>, drops: Pick<Drops, 'refused'>) {
    this.#limits = limits
    this.#drops = drops
  }

  /**
   * Notes what has come over a connection and waits. False: that is more than there is room for, or than it may; it is counted as refused.
   */
  charge(connection: Newcomer, bytes: number, most: number = Number.POSITIVE_INFINITY): boolean {
    this.#bytes += bytes - (this.#charged.get(connection) ?? 0)
    if (bytes === 0) this.#charged.delete(connection)
    else this.#charged.set(connection, bytes)
    if (bytes <= most && this.#bytes <= this.#limits.maxUnauthenticatedBytes) return true
    this.#drops.refused('unauthenticated-bytes', connection.peer.address)
    return false
  }

  release(connection: Newcomer): void {
    this.#bytes -= this.#charged.get(connection) ?? 0
    this.#charged.delete(connection)
  }
}
