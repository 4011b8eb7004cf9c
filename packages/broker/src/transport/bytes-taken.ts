import type { Duplex } from 'node:stream'

interface Handled extends Duplex {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null
}

/**
 * Bytes of a socket's that the kernel has taken since it was opened. Node tells of whole writes, and a write may be
 * megabytes; how much of one is still to go only the handle of the socket says. Of what has none, or where Node has
 * changed: 0.
 */
export function bytesTakenOf(stream: Duplex): number {
  const { bytesWritten = 0, writeQueueSize = 0 } = (stream as Handled)._handle ?? {}
  return bytesWritten - writeQueueSize
}
