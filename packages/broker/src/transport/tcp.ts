import { createServer, Socket } from 'node:net'
import { BrokerError } from '../errors.js'
import { DuplexTransport, onBytes } from './duplex.js'
import type { Listener, Peer, Transport } from './transport.js'

export interface TcpOptions {
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string
  /** Default 1883; 0 = any free port. */
  readonly port?: number
}

/** Pending connections the kernel keeps; above its own bound the kernel's holds. */
const backlog = 4096

/**
 * Listens for MQTT over TCP.
 * @throws BrokerError `listen-failed` (port in use, address not on this machine, no permission).
 */
export function listenTcp(options: TcpOptions, accept: (transport: Transport) => void): Promise<Listener> {
  const { host = '127.0.0.1', port = 1883 } = options
  const open = new OpenSockets()
  // Half-open: a client that has ended its side may still wait for acknowledgements of what it said before.
  const server = createServer(
    { noDelay: true, keepAlive: true, allowHalfOpen: true, pauseOnConnect: true },
    (accepted) => {
      const [socket, transport] = readingIntoOne(accepted)
      open.add(socket)
      accept(transport)
    },
  )
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(new BrokerError('listen-failed', `cannot listen on ${host}:${port}: ${explain(error)}`, { cause: error }))
    }
    server.on('error', failed) // stays: a later error of the listener must not end the process
    const listening = (): void => {
      const address = server.address()
      resolve({
        host,
        port: address !== null && typeof address === 'object' ? address.port : port,
        close: async () => {
          await new Promise<void>((closed) => void server.close(() => closed()))
          await open.allClosed()
        },
      })
    }
    try {
      server.listen({ host, port, backlog }, listening)
    } catch (error) {
      failed(error as NodeJS.ErrnoException) // a port that is none
    }
  })
}

/** The sockets of a listener that are not yet closed. */
class OpenSockets {
  #count = 0
  #whenNone: (() => void) | undefined

  add(socket: Socket): void {
    this.#count++
    socket.on('close', this.#onClose)
  }

  readonly #onClose = (): void => {
    if (--this.#count === 0) this.#whenNone?.()
  }

  async allClosed(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#whenNone = resolve))
  }
}

/**
 * All sockets read into this one buffer: whoever takes bytes has read or copied them when `onData` returns. Otherwise
 * each read allocates 64 KiB, gives back what it did not fill, and makes an ArrayBuffer of the rest: a third of what a
 * small message costs (docs/performance.md).
 */
const readBuffer = new Uint8Array(262_144)

const onread = {
  buffer: readBuffer,
  /** Node calls it as a method of the socket. */
  callback(this: Socket, length: number): boolean {
    onBytes.call(this, readBuffer.subarray(0, length))
    return true
  },
}

/**
 * Node gives a socket its own read buffer (`onread`) only when it is constructed, and a server constructs sockets
 * without. So the accepted connection moves to a socket of ours, before it has read anything.
 */
function readingIntoOne(accepted: Socket): [Socket, Transport] {
  const handle = (accepted as { _handle?: unknown })._handle
  if (!handle) return [accepted, new DuplexTransport(accepted, peerOf(accepted))] // gone already, or an unknown Node
  const options = { handle, onread, allowHalfOpen: true, writableHighWaterMark: 65_536 }
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0])
  const transport = new DuplexTransport(socket, peerOf(socket))
  const emptied = accepted as { _handle?: unknown }
  emptied._handle = null
  accepted.destroy()
  return [socket, transport]
}

function peerOf({ remoteAddress, remotePort }: Socket): Peer {
  return { transport: 'tcp', address: remoteAddress ?? '', ...(remotePort !== undefined && { port: remotePort }) }
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use by another program; end that program or choose another port'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'no such address on this machine'
    case 'EACCES':
      return 'not permitted; ports below 1024 need privileges'
    default:
      return error.message
  }
}
