import { connect, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { ByteStream, Target } from './target.js'

export interface SocketTargetOptions {
  /** Name or address; default 127.0.0.1. */
  readonly host?: string
  readonly port: number
  /** How long something expected is waited for, in milliseconds; default 5,000. */
  readonly patienceMs?: number
  /** How long nothing must come for the check to believe that nothing will, in milliseconds; default 250. */
  readonly quietMs?: number
}

/** A server behind a TCP port. */
export function socketTarget(options: SocketTargetOptions): Target {
  const { host = '127.0.0.1', port, patienceMs = 5000, quietMs = 250 } = options
  return {
    patienceMs,
    sleep: (ms) => delay(ms),
    settled: () => delay(quietMs),
    open: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port, noDelay: true })
        socket.once('error', (error) =>
          reject(new Error(`cannot connect to ${host} port ${port}: ${error.message}`, { cause: error })),
        )
        socket.once('connect', () => resolve(streamOf(socket)))
      }),
  }
}

/** A connected stream of Node's as the checks see it. */
export function streamOf(socket: Duplex): ByteStream {
  socket.removeAllListeners('error')
  socket.on('error', () => {}) // a reset is a close here: 'close' follows
  return {
    write: (bytes) => {
      if (socket.writable) socket.write(bytes)
    },
    end: () => void socket.end(),
    destroy: () => {
      // A reset is TCP's own. None after a FIN: Node 20 then keeps a dead handle that spins for ever.
      const isTcp = socket instanceof Socket && !(socket instanceof TLSSocket) && socket.remotePort !== undefined
      if (isTcp && !socket.writableEnded && !socket.readableEnded) socket.resetAndDestroy()
      else socket.destroy()
    },
    onData: (listener) => void socket.on('data', listener),
    onClose: (listener) => {
      socket.once('end', listener)
      socket.once('close', listener)
    },
  }
}
