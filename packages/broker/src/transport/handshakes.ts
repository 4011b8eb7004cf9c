import type { Socket } from 'node:net'
import type { Logger } from '../log.js'
import type { HandshakeRefusal, Metrics } from '../metrics.js'

export interface HandshakeBounds {
  readonly timeoutMs: number
  readonly most: number
}

/** What precedes the first byte of MQTT on the connections of one listener, bounded in time and number. */
export class Handshakes {
  readonly #bounds: HandshakeBounds
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #timers = new Map<Socket, NodeJS.Timeout>()

  constructor(bounds: HandshakeBounds, metrics: Metrics, log: Logger) {
    this.#bounds = bounds
    this.#metrics = metrics
    this.#log = log
  }

  /** An accepted socket begins; false: it was closed, there are too many. */
  begin(socket: Socket): boolean {
    socket.on('error', () => {}) // its close says all
    if (this.#timers.size >= this.#bounds.most) {
      this.refuse(socket, 'too-many')
      return false
    }
    const timer = setTimeout(() => this.refuse(socket, 'too-slow'), this.#bounds.timeoutMs)
    timer.unref()
    this.#timers.set(socket, timer)
    socket.once('close', () => this.done(socket))
    return true
  }

  /** MQTT begins, or nothing more will. */
  done(socket: Socket): void {
    clearTimeout(this.#timers.get(socket))
    this.#timers.delete(socket)
  }

  /** It is closed, counted and told. */
  refuse(socket: Socket, reason: HandshakeRefusal, why: string = reason): void {
    this.tell(socket, reason, why)
    socket.destroy()
  }

  /** As {@link Handshakes.refuse}, but what is still to be said goes out; the time goes on. */
  tell({ remoteAddress }: Socket, reason: HandshakeRefusal, why: string): void {
    this.#metrics.handshakesRefused[reason]++
    this.#log.log('info', 'connection refused before MQTT', { address: remoteAddress, reason, why })
  }

  /** Ends all that are not done. */
  close(): void {
    for (const socket of [...this.#timers.keys()]) socket.destroy()
  }
}
