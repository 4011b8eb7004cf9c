import type { ForwardMetrics } from '../metrics.js'
import type { Transport } from '../transport/transport.js'

/**
 * How much of one client may wait for the other side before this one is not read from: with a read of as much behind it that is
 * 64 KiB. Were it more, the node that serves would take a client for a fast one that takes nothing.
 */
export const readBytes = 32_768

/** The bytes of one client in one direction. */
export class OneWay {
  readonly #from: Transport
  readonly #to: Transport
  readonly #counts: ForwardMetrics
  #waiting = 0
  #isStopped = false

  constructor(from: Transport, to: Transport, counts: ForwardMetrics) {
    this.#from = from
    this.#to = to
    this.#counts = counts
  }

  /** @param chunk may be overwritten once the call has returned. */
  carry(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk)
    this.#wait(bytes.length)
    this.#to.write([bytes], () => this.#wait(-bytes.length))
  }

  #wait(bytes: number): void {
    this.#waiting += bytes
    this.#counts.bufferedBytes += bytes
    if (this.#isStopped === this.#waiting > readBytes) return
    this.#isStopped = !this.#isStopped
    if (this.#isStopped) this.#from.pause()
    else this.#from.resume()
  }
}
