import { Socket } from 'node:net'
import { onBytes } from './duplex.js'

/**
 * All sockets of clients read into this one buffer: whoever takes bytes has read or copied them when `onData` returns. Otherwise
 * each read allocates 64 KiB, gives back what it did not fill, and makes an ArrayBuffer of the rest: a third of what a
 * small message costs (docs/performance.md).
 */
const forClients = new Uint8Array(262_144)

/** Node calls it as a method of the socket. */
function callback(this: Socket, length: number, buffer: Uint8Array): boolean {
  onBytes.call(this, buffer.subarray(0, length))
  return true
}

/**
 * Node gives a socket a read buffer of ours (`onread`) only when it is constructed, and a server constructs its sockets
 * without. So the server's get what such a socket has: these properties, and the buffer in their handle.
 */
const keys = Object.getOwnPropertySymbols(new Socket())
const kBuffer = keys.find(({ description }) => description === 'kBuffer')
const kBufferCb = keys.find(({ description }) => description === 'kBufferCb')

interface Readable {
  [key: symbol]: unknown
  readonly _handle?: { useUserBuffer?(buffer: Uint8Array): void } | null
}

/**
 * A socket that has read nothing yet. Where Node has changed, it goes on reading as sockets do, only slower.
 * @param buffer how much it reads at once. Default: as much as is good for a broker.
 */
export function readIntoOne(socket: Socket, buffer: Uint8Array = forClients): void {
  const readable = socket as unknown as Readable
  if (!kBuffer || !kBufferCb || !readable._handle?.useUserBuffer) return
  readable[kBuffer] = buffer
  readable[kBufferCb] = callback
  readable._handle.useUserBuffer(buffer)
}
