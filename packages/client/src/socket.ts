import type { ServerAddress } from './server-address.js'
import type { TlsOptions } from './tls-options.js'

/** What a byte stream tells its owner. After `onClose` it says nothing more. */
export interface ByteStreamEvents {
  /** Bytes may be written from now on. */
  onOpen(): void
  /** The chunk belongs to the receiver: the stream does not write into it again. */
  onData(chunk: Uint8Array): void
  /** A write said false, and there is room again. */
  onDrain(): void
  /** The stream has ended, with the error that ended it if there was one. Called once. */
  onClose(error?: Error): void
}

/** A reliable, ordered stream of bytes (section 4.2). Not open yet when it is returned. */
export interface ByteStream {
  /** Takes the bytes; false asks to wait for `onDrain` before writing more. */
  write(bytes: Uint8Array): boolean
  /** Closes after what has been written is out. */
  end(): void
  /** Closes now. Also ends an attempt that is not open yet. */
  destroy(): void
  /** Stops and restarts `onData`. */
  pause(): void
  resume(): void
}

/** Opens a byte stream to a server. With `unref`, it does not keep the process alive once it has received. */
export type OpenStream = (server: ServerAddress, events: ByteStreamEvents, unref: boolean) => ByteStream

/** A socket of `node:net`, in what every environment can say of it. */
export interface DialedSocket {
  destroy(error?: Error): unknown
}

/** What opening streams takes. */
export interface SocketOptions {
  /** Those that are named, of which one is connected to at a time; a redirect may lead to others. */
  readonly servers: readonly ServerAddress[]
  readonly tls: TlsOptions | undefined
  /** Of a WebSocket's opening handshake. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Those a WebSocket offers [MQTT-6.0.0-3]. */
  readonly subprotocols: readonly string[]
  /** A WebSocket message may have so many bytes, where the environment lets us say. */
  readonly maxMessageBytes: number
  /** Makes the connection below TLS and WebSocket; undefined: TCP to the server. */
  readonly dial: ((server: ServerAddress) => Promise<DialedSocket>) | undefined
}

/** What `#socket` is in each environment. Throws InvalidArgumentError for options that cannot work there. */
export type SocketOpener = (options: SocketOptions) => OpenStream
