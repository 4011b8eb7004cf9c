import { connect as connectTcp } from 'node:net'
import type { OpenStream } from './socket.js'

/** The form of `#socket` for Node: TCP. */
export const openSocket: OpenStream = (server, events, unref) => {
  // Packets are gathered into one write a turn already; Nagle's algorithm would only delay acknowledgements.
  const socket = connectTcp({ host: server.host, port: server.port, noDelay: true })
  // Not before the server has answered: a program that awaits connect() must live to see it.
  if (unref) socket.once('data', () => socket.unref())
  let failure: Error | undefined
  socket.on('connect', () => events.onOpen())
  socket.on('data', (chunk) => events.onData(chunk))
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
