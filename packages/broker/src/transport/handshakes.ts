import type { Socket } from 'node:net'
import type { Drops } from '../drops.js'
import type { HandshakeRefusal } from '../metrics.js'
import { isOfThisMachine, networkOf } from '../network.js'
import { patientTimeout } from '../patient-timeout.js'

export interface HandshakeBounds {
  readonly timeoutMs: number
  readonly most: number
}

interface Handshake {
  /** Whom it counts for; `undefined`: nobody. */
  readonly network: string | undefined
  readonly cancelTimeout: () => void
}

/** What precedes the first byte of MQTT on the connections of one listener, bounded in time and number. */
export class Handshakes {
  readonly #bounds: HandshakeBounds
  readonly #drops: Drops
  readonly #underWay = new Map<Socket, Handshake>()
  readonly #ofNetwork = new Map<string, number>()

  constructor(bounds: HandshakeBounds, drops: Drops) {
    this.#bounds = bounds
    this.#drops = drops
  }

  /**
   * An accepted socket begins; false: it was closed, there are too many. One address may have half of them, so that it
   * cannot keep the others out by being slow.
   * @param address empty for a proxy, whose clients have their own.
   */
  begin(socket: Socket, address: string): boolean {
    socket.on('error', () => {}) // its close says all
    const { most, timeoutMs } = this.#bounds
    const network = isOfThisMachine(address) ? undefined : networkOf(address)
    const ofNetwork = network === undefined ? 0 : (this.#ofNetwork.get(network) ?? 0)
    if (this.#underWay.size >= most || ofNetwork >= most / 2) {
      this.refuse(socket, 'too-many', 'too many others are at their handshake')
      return false
    }
    const tooSlow = (): void => this.refuse(socket, 'too-slow', `it was not done in ${timeoutMs} ms`)
    this.#underWay.set(socket, { network, cancelTimeout: patientTimeout(timeoutMs, tooSlow) })
    if (network !== undefined) this.#ofNetwork.set(network, ofNetwork + 1)
    socket.once('close', () => this.done(socket))
    return true
  }

  /** MQTT begins, or nothing more will. */
  done(socket: Socket): void {
    const handshake = this.#underWay.get(socket)
    if (!handshake) return
    const { network, cancelTimeout } = handshake
    cancelTimeout()
    this.#underWay.delete(socket)
    if (network === undefined) return
    const left = this.#ofNetwork.get(network)! - 1
    if (left > 0) this.#ofNetwork.set(network, left)
    else this.#ofNetwork.delete(network)
  }

  /** It is closed, counted and told. */
  refuse(socket: Socket, reason: HandshakeRefusal, why: string): void {
    this.tell(socket, reason, why)
    socket.destroy()
  }

  /** As {@link Handshakes.refuse}, but what is still to be said goes out; the time goes on. */
  tell({ remoteAddress = '' }: Socket, reason: HandshakeRefusal, why: string): void {
    this.#drops.handshakeRefused(reason, remoteAddress, why)
  }

  /** Ends all that are not done. */
  close(): void {
    for (const socket of [...this.#underWay.keys()]) socket.destroy()
  }
}
