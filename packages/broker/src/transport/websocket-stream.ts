import { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { onPartial } from './duplex.js'

/** The largest frame header of a client. */
const frameHeaderBytes = 14

/** The binary messages of a WebSocket as a stream of bytes: where one ends means nothing to MQTT [MQTT-6.0.0-2]. */
export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket
  #failed = false
  /** Bytes that have come since the chunk in which the last message became whole; -1 while that is taken in. */
  #gathering = 0

  /** @param below what the WebSocket reads from. */
  constructor(socket: WebSocket, below: Duplex) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data, isBinary) => {
      this.#gathering = -1
      if (this.destroyed) return
      if (!isBinary) return this.#refuseText()
      if (!this.push(data as Buffer)) socket.pause()
    })
    below.on('data', (chunk: Buffer) => this.#gathered(chunk.length))
    socket.on('error', (error) => this.#fail(error)) // the closing handshake is under way
    socket.on('close', () => {
      if (this.writableFinished || this.readableEnded) this.destroy()
      else this.push(null)
    })
  }

  /** The WebSocket has taken a chunk in, and told of what was whole with it. */
  #gathered(bytes: number): void {
    this.#gathering = this.#gathering < 0 ? 0 : this.#gathering + bytes
    if (this.#gathering > frameHeaderBytes) onPartial.call(this, this.#gathering - frameHeaderBytes)
  }

  /** [MQTT-6.0.0-1] */
  #refuseText(): void {
    this.#socket.close(1003, 'MQTT is sent in binary frames')
    this.#fail(new Error('a WebSocket text frame'))
  }

  #fail(error: Error): void {
    this.#failed = true
    this.destroy(error)
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.send(chunk, callback)
  }

  /** What was gathered leaves as one frame [MQTT-6.0.0-1]. */
  override _writev(chunks: { readonly chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#socket.send(
      chunks.length === 1 ? chunks[0]!.chunk : Buffer.concat(chunks.map(({ chunk }) => chunk)),
      callback,
    )
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) return callback()
    this.#socket.once('close', () => callback())
    this.#socket.close(1000)
    this.#socket.resume() // else the closing frame of the other side is never read
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // After a failure the closing frame is still to go out; the time for that is bounded.
    if (!this.#failed) this.#socket.terminate()
    else this.#socket.resume()
    callback(error)
  }
}
