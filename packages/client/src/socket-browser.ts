import { TransportUnavailableError } from './errors.js'
import type { Check } from './option-checks.js'
import type { ByteStream, ByteStreamEvents, SocketOpener } from './socket.js'

/** The part of the platform's WebSocket that is used here. */
interface PlatformSocket {
  binaryType: string
  readonly bufferedAmount: number
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: ((event: { readonly code: number }) => void) | null
  onerror: (() => void) | null
  send(bytes: Uint8Array): void
  close(code?: number, reason?: string): void
}

type PlatformSocketConstructor = new (url: string, subprotocols: string[]) => PlatformSocket

/** So many bytes may wait in the WebSocket before writing should. */
const highWaterBytes = 1_048_576
/** A WebSocket does not tell when what it holds has left: it is looked at this often. */
const drainPollMs = 10

export const tlsCheck: Check = () => "'tls' is not for this environment: it checks certificates itself"
export const headersCheck: Check = () => "'headers' are not for this environment: its WebSocket takes none"
export const dialCheck: Check = () => "'dial' is not for this environment: it makes its connections itself"

export const urlForms = 'use wss://host[:port][/path] or ws://'
export const unixServer = (): undefined => undefined
export function warn(text: string): void {
  const { console: page } = globalThis as { console?: { readonly warn: (text: string) => void } }
  page?.warn(text)
}
/** Why a WebSocket has ended is not told. */
export const isReset = (): boolean => false

/** The form of `#socket` for environments without Node's sockets: the platform's WebSocket. */
export const socketOpener: SocketOpener = ({ subprotocols }) => {
  return (server, events) => {
    if (server.transport !== 'ws' && server.transport !== 'wss') {
      throw new TransportUnavailableError(
        `${server.url}: this environment has no TCP; use ws:// or wss://, or pass 'openStream' for a stream of your own`,
      )
    }
    const { WebSocket } = globalThis as { WebSocket?: unknown }
    if (WebSocket === undefined) {
      throw new TransportUnavailableError(
        `${server.url}: this environment has no WebSocket; pass 'openStream' to connect over a stream of your own`,
      )
    }
    return new WebSocketStream(new (WebSocket as PlatformSocketConstructor)(server.url, [...subprotocols]), events)
  }
}

/** The binary messages of a WebSocket as a stream of bytes: where one ends means nothing [MQTT-6.0.0-2]. */
class WebSocketStream implements ByteStream {
  readonly #socket: PlatformSocket
  readonly #events: ByteStreamEvents
  /** A WebSocket cannot be told to wait: what comes in a pause is kept. */
  readonly #kept: Uint8Array[] = []
  #isPaused = false
  #isOver = false
  #isPolling = false
  #failure: Error | undefined

  constructor(socket: PlatformSocket, events: ByteStreamEvents) {
    this.#socket = socket
    this.#events = events
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      if (!this.#isOver) events.onOpen()
    }
    socket.onmessage = ({ data }) => this.#onMessage(data)
    socket.onerror = () => {
      this.#failure ??= new Error("the WebSocket failed; why is only in the environment's own console")
      // A failed WebSocket is closed, but that of Node 22 has no close event after a refused connection.
      queueMicrotask(() => this.#close(this.#failure))
    }
    socket.onclose = () => this.#close(this.#failure)
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isOver) return true
    this.#socket.send(bytes) // [MQTT-6.0.0-1]
    if (this.#socket.bufferedAmount < highWaterBytes) return true
    this.#poll()
    return false
  }

  end(): void {
    this.#socket.close(1000)
  }

  /** The closing handshake goes on without us. */
  destroy(): void {
    this.#socket.close()
    queueMicrotask(() => this.#close(this.#failure))
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    queueMicrotask(() => this.#deliver())
  }

  #onMessage(data: unknown): void {
    if (this.#isOver) return
    if (!(data instanceof ArrayBuffer)) {
      this.#failure = new Error('the server sent a WebSocket text frame, where MQTT has binary ones')
      return this.destroy() // [MQTT-6.0.0-1]
    }
    this.#kept.push(new Uint8Array(data))
    this.#deliver()
  }

  #deliver(): void {
    while (!this.#isPaused && !this.#isOver) {
      const chunk = this.#kept.shift()
      if (chunk === undefined) return
      this.#events.onData(chunk)
    }
  }

  #poll(): void {
    if (this.#isPolling) return
    this.#isPolling = true
    setTimeout(() => {
      this.#isPolling = false
      if (this.#isOver) return
      if (this.#socket.bufferedAmount < highWaterBytes) this.#events.onDrain()
      else this.#poll()
    }, drainPollMs)
  }

  #close(failure: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.onClose(failure)
  }
}
