import type { Outgoing } from './outgoing.js'

/**
 * Packet ids of a relay at QoS 2. Its messages bring their ids, so it cannot choose another one where the server may know one still:
 * PUBREL makes that free first, or the new message might be taken for the old one [MQTT-4.3.3-10].
 */
export class RelayedIds {
  readonly #stale = new Set<number>()
  /** PUBCOMPs of such that are to come. */
  readonly #freeing = new Set<number>()
  #sessionPresent = false
  #sameServer = false

  /** A new connection. `sameServer`, false: it is another server than before, and its session may be of any time. */
  restart(sessionPresent: boolean, sameServer: boolean): void {
    this.#freeing.clear()
    this.#sessionPresent = sessionPresent
    this.#sameServer = sameServer
  }

  /** Whether a server that was not asked last has a session. */
  get meetsStranger(): boolean {
    return this.#sessionPresent && !this.#sameServer
  }

  /** Perhaps, by an earlier process, and the server knows it then. */
  wasSent({ relayed }: Outgoing): boolean {
    return relayed?.mayHaveBeenSent === true && this.#sessionPresent
  }

  /** It will not be sent. */
  givenUp(message: Outgoing): void {
    if (message.qos === 2 && this.wasSent(message)) this.#stale.add(message.relayed!.packetId)
  }

  /** The server has forgotten the session. */
  clear(): void {
    this.#stale.clear()
  }

  /** The server may know this id still. */
  add(packetId: number): void {
    this.#stale.add(packetId)
  }

  /** A server that was not asked last has a session: it may know any id, and those it has not released are released in any case. */
  meetStranger(released: Iterable<number>): void {
    for (let packetId = 1; packetId <= 65_535; packetId++) this.#stale.add(packetId)
    for (const packetId of released) this.#stale.delete(packetId)
  }

  /** The id of this message, when it is to be made free first; 0 otherwise. Counted as freed from now on. */
  toFree({ qos, relayed }: Outgoing): number {
    if (qos !== 2 || !relayed || !this.#stale.delete(relayed.packetId)) return 0
    this.#freeing.add(relayed.packetId)
    return relayed.packetId
  }

  /** PUBCOMP has come. True: for such an id. */
  freed(packetId: number): boolean {
    return this.#freeing.delete(packetId)
  }
}
