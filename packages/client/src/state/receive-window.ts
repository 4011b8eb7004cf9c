/**
 * Receive Maximum of this side (section 4.9): the QoS 1 and 2 messages of one connection from their PUBLISH to the end
 * of their handshake.
 */
export class ReceiveWindow {
  #maximum = Infinity
  readonly #open = { 1: new Set<number>(), 2: new Set<number>() }

  /** A new connection. */
  restart(maximum: number): void {
    this.#maximum = maximum
    this.#open[1].clear()
    this.#open[2].clear()
  }

  /** A message has come; false: it is one too many. */
  take(qos: 1 | 2, packetId: number): boolean {
    this.#open[qos].add(packetId)
    return this.#open[1].size + this.#open[2].size <= this.#maximum
  }

  /** PUBACK, or PUBCOMP, is on its way. */
  free(qos: 1 | 2, packetId: number): void {
    this.#open[qos].delete(packetId)
  }
}
