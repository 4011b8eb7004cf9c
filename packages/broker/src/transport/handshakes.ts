import type { Socket } from 'node:net'
import type { Drops } from '../drops.js'
import type { HandshakeRefusal } from '../metrics.js'
import { isOfThisMachine, networkOf } from '../network.js'
import { patientTimeout } from '../patient-timeout.js'

interface HandshakeBounds {
  readonly timeoutMs: number
  readonly most: number
}

interface Handshake {
  /** Whom it counts for; `undefined`: nobody. */
  network: string | undefined
  readonly cancelTimeout: () => void
}

/** Who is at the other end, and what of all that has come is its proxy's. */
interface Visitor {
  readonly address: string
  readonly headerBytes: number
}

/** What precedes the first byte of MQTT on the connections of one listener, bounded in time and number. */
export class Handshakes {
  readonly #bounds: HandshakeBounds
  readonly #drops: Drops
  readonly #underWay = new Map<Socket, Handshake>()
  readonly #ofNetwork = new Map<string, number>()
  readonly #visitors = new WeakMap<Socket, Visitor>()

  constructor(bounds: HandshakeBounds, drops: Drops) {
    this.#bounds = bounds
    this.#drops = drops
  }

  /**
   * An accepted socket begins; false: it was closed, there are too many. One address may have half of them, so that it
   * cannot keep the others out by being slow.
   * @param isOfProxy it counts for nobody until the proxy has said for whom it comes.
   */
  begin(socket: Socket, address: string, isOfProxy: boolean): boolean {
    socket.on('error', () => {}) // its close says all
    this.#visitors.set(socket, { address, headerBytes: 0 })
    const { most, timeoutMs } = this.#bounds
    if (this.#underWay.size >= most) return this.#oneTooMany(socket)
    const tooSlow = (): void => this.refuse(socket, 'too-slow', `it was not done in ${timeoutMs} ms`)
    this.#underWay.set(socket, { network: undefined, cancelTimeout: patientTimeout(timeoutMs, tooSlow) })
    socket.once('close', () => this.done(socket))
    return isOfProxy || this.#countFor(socket, address)
  }

  /** A proxy has said for whom it comes, in so many bytes; false: it was closed, that address has its part already. */
  identified(socket: Socket, address: string, headerBytes: number): boolean {
    this.#visitors.set(socket, { address, headerBytes })
    return this.#countFor(socket, address)
  }

  #countFor(socket: Socket, address: string): boolean {
    const handshake = this.#underWay.get(socket)
    if (!handshake || isOfThisMachine(address)) return true
    const network = networkOf(address)
    const already = this.#ofNetwork.get(network) ?? 0
    if (already >= this.#bounds.most / 2) return this.#oneTooMany(socket)
    handshake.network = network
    this.#ofNetwork.set(network, already + 1)
    return true
  }

  #oneTooMany(socket: Socket): false {
    this.done(socket) // it takes nobody's place while it closes
    this.refuse(socket, 'too-many', 'too many others are at their handshake')
    return false
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
  tell(socket: Socket, reason: HandshakeRefusal, why: string): void {
    this.#drops.handshakeRefused(reason, this.#visitors.get(socket)?.address ?? '', why)
  }

  /** The other side has ended it. Whoever said nothing only looked whether the port is open, and that is no refusal. */
  left(socket: Socket, reason: HandshakeRefusal, why: string): void {
    const { headerBytes = 0 } = this.#visitors.get(socket) ?? {}
    if (socket.bytesRead > headerBytes) this.tell(socket, reason, why)
  }

  /** Ends all that are not done. */
  close(): void {
    for (const socket of [...this.#underWay.keys()]) socket.destroy()
  }
}
