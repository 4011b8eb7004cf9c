import { TransportUnavailableError } from './errors.js'
import type { ServerAddress } from './server-address.js'

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

/** The form of `#socket` for environments without TCP. */
export const openSocket: OpenStream = (server) => {
  throw new TransportUnavailableError(
    `${server.url}: this environment has no TCP; pass 'openStream' to connect over a stream of your own`,
  )
}
