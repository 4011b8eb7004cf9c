import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Peer, Transport, TransportEvents } from './transport.js'

/** How long a peer may take to end its side after we ended ours. */
const lingerMs = 2000

/** Where a stream has its transport: its listeners are the same functions for all, not closures of each connection. */
const carried = Symbol('transport')

interface Carrier extends Duplex {
  [carried]?: DuplexTransport
}

/** A stream has read something; for those that hand it over by another way than events too. */
export function onBytes(this: Carrier, chunk: Uint8Array): void {
  this[carried]?.received(chunk)
}

/** Of a stream that gathers bytes before it hands them over. */
export function onPartial(this: Carrier, bytes: number): void {
  this[carried]?.held(bytes)
}

function onEnd(this: Carrier): void {
  this[carried]?.ended()
}

function onError(this: Carrier, error: Error): void {
  this[carried]?.failed(error)
}

function onClose(this: Carrier): void {
  this[carried]?.closed()
}

/** Any Node duplex stream of bytes as a transport: sockets, TLS sockets, WebSocket streams, pipes. */
export class DuplexTransport implements Transport {
  readonly peer: Peer
  readonly #stream: Carrier
  #events: TransportEvents | undefined
  #error: Error | undefined

  constructor(stream: Duplex, peer: Peer) {
    this.#stream = stream
    this.#stream[carried] = this
    this.peer = peer
  }

  start(events: TransportEvents): void {
    this.#events = events
    const stream = this.#stream
    stream.on('error', onError)
    stream.on('data', onBytes)
    stream.on('end', onEnd)
    stream.on('close', onClose)
    if (stream.destroyed) this.closed()
  }

  handTo(events: TransportEvents): void {
    this.#events = events
  }

  // ---- what the stream tells

  received(chunk: Uint8Array): void {
    this.#events?.onData(chunk)
  }

  held(bytes: number): void {
    this.#events?.onPartial(bytes)
  }

  ended(): void {
    this.#events?.onEnd()
  }

  failed(error: Error): void {
    this.#error = error
  }

  closed(): void {
    const events = this.#events
    this.#events = undefined
    events?.onClose(this.#error)
  }

  // ---- what the connection asks for

  get bytesTaken(): number {
    return bytesTakenOf(this.#stream)
  }

  write(parts: readonly Uint8Array[], done: () => void): void {
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded) return done()
    let isTaken = false
    const onTaken = (): void => {
      if (isTaken) return
      isTaken = true
      done()
    }
    if (parts.length === 1) stream.write(parts[0], onTaken)
    else {
      stream.cork()
      for (let at = 0; at < parts.length; at++) stream.write(parts[at], at === parts.length - 1 ? onTaken : undefined)
      stream.uncork()
    }
    if (stream.writableLength === 0) onTaken() // the kernel has all of it, which the stream would tell a tick later
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  endSending(): void {
    if (!this.#stream.destroyed) this.#stream.end()
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

  reset(): void {
    resetSocket(this.#stream)
    this.destroy()
  }
}

/** What has no reset of its own is only destroyed, and so is TLS: the socket below it is reset. */
function resetSocket(stream: Duplex): void {
  if (stream instanceof Socket && !(stream instanceof TLSSocket) && !stream.destroyed) stream.resetAndDestroy()
}

/** A stream that is not the socket itself: TLS, WebSocket. What the kernel takes is seen below. */
export class LayeredTransport extends DuplexTransport {
  readonly #below: Duplex

  constructor(stream: Duplex, peer: Peer, below: Duplex) {
    super(stream, peer)
    this.#below = below
  }

  override get bytesTaken(): number {
    return bytesTakenOf(this.#below)
  }

  override reset(): void {
    resetSocket(this.#below)
    this.destroy()
  }
}

interface Handled extends Duplex {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null
}

/**
 * Bytes of a socket's that the kernel has taken since it was opened. Node tells of whole writes, and a write may be
 * megabytes; how much of one is still to go only the handle of the socket says. Of what has none, or where Node has
 * changed: 0.
 */
function bytesTakenOf(stream: Duplex): number {
  const { bytesWritten = 0, writeQueueSize = 0 } = (stream as Handled)._handle ?? {}
  return bytesWritten - writeQueueSize
}
