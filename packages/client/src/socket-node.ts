import { connect as connectTcp, type Socket } from 'node:net'
import type { ServerAddress } from './server-address.js'
import type { ByteStream, ByteStreamEvents, SocketOpener } from './socket.js'
import { tlsDialer, tlsFailure } from './tls-node.js'
import { openWebSocket } from './websocket-node.js'

/** The form of `#socket` for Node: TCP, TLS, Unix domain sockets, and WebSockets over the first two. */
export const socketOpener: SocketOpener = (options) => {
  const dialTls = tlsDialer(options.tls ?? {})
  return (server, events, unref) => {
    const { transport } = server
    const socket = transport === 'tls' || transport === 'wss' ? dialTls(server) : dial(server)
    const told: ByteStreamEvents = { ...events, onClose: (error) => events.onClose(tlsFailure(server, socket, error)) }
    if (transport === 'ws' || transport === 'wss') return openWebSocket(server, options, socket, told, unref)
    return socketStream(socket, transport === 'tls' ? 'secureConnect' : 'connect', told, unref)
  }
}

function dial({ transport, host, port, path }: ServerAddress): Socket {
  if (transport === 'unix') return connectTcp({ path })
  // Packets are gathered into one write a turn already; Nagle's algorithm would only delay acknowledgements.
  return connectTcp({ host, port, noDelay: true })
}

function socketStream(socket: Socket, opened: string, events: ByteStreamEvents, unref: boolean): ByteStream {
  // Not before the server has answered: a program that awaits connect() must live to see it.
  if (unref) socket.once('data', () => socket.unref())
  let failure: Error | undefined
  socket.on(opened, () => events.onOpen())
  socket.on('data', (chunk: Uint8Array) => events.onData(chunk))
  socket.on('drain', () => events.onDrain())
  socket.on('error', (error) => {
    failure = error
  })
  socket.on('close', () => events.onClose(failure))
  return {
    write: (bytes) => socket.write(bytes),
    end: () => socket.end(),
    destroy: () => socket.destroy(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}
