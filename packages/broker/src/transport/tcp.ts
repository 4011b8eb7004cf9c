import { createServer, type Socket } from 'node:net'
import { BrokerError } from '../errors.js'
import { DuplexTransport } from './duplex.js'
import { readIntoOne } from './read-buffer.js'
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
  // Half-open: a client that has ended its side may still wait for acknowledgements of what it said before.
  const server = createServer(
    { noDelay: true, keepAlive: true, allowHalfOpen: true, highWaterMark: 65_536 },
    (socket) => {
      readIntoOne(socket)
      accept(new DuplexTransport(socket, peerOf(socket)))
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
        close: () => new Promise<void>((closed) => void server.close(() => closed())),
      })
    }
    try {
      server.listen({ host, port, backlog }, listening)
    } catch (error) {
      failed(error as NodeJS.ErrnoException) // a port that is none
    }
  })
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
