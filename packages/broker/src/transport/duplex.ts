import type { Duplex } from 'node:stream'
import type { Peer, Transport, TransportEvents } from './transport.js'

/** How long a peer may take to end its side after we ended ours. */
const lingerMs = 2000

/** Any Node duplex stream of bytes as a transport: sockets, TLS sockets, WebSocket streams, pipes. */
export class DuplexTransport implements Transport {
  readonly peer: Peer
  readonly #stream: Duplex
  #events: TransportEvents | undefined
  #error: Error | undefined

  constructor(stream: Duplex, peer: Peer) {
    this.#stream = stream
    this.peer = peer
  }

  start(events: TransportEvents): void {
    this.#events = events
    const stream = this.#stream
    stream.on('error', (error) => {
      this.#error = error
    })
    stream.on('data', (chunk: Uint8Array) => this.#events?.onData(chunk))
    stream.once('end', () => this.#events?.onEnd())
    stream.once('close', () => this.#closed())
    if (stream.destroyed) this.#closed()
  }

  write(parts: readonly Uint8Array[], done: () => void): void {
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return done()
    if (parts.length === 1) {
      stream.write(parts[0], done)
      return
    }
    stream.cork()
    parts.forEach((part, at) => {
      stream.write(part, at === parts.length - 1 ? done : undefined)
    })
    stream.uncork()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  end(): void {
    const stream = this.#stream
    this.#events = undefined
    if (stream.destroyed) return
    // Reading on until the peer ends keeps the kernel from answering unread bytes with a reset that would overtake
    // what we wrote last.
    const deadline = setTimeout(() => stream.destroy(), lingerMs)
    deadline.unref()
    stream.once('close', () => clearTimeout(deadline))
    stream.end()
    stream.resume()
  }

  destroy(): void {
    this.#events = undefined
    this.#stream.destroy()
  }

  #closed(): void {
    const events = this.#events
    this.#events = undefined
    events?.onClose(this.#error)
  }
}
