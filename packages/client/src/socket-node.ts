import { connect as connectTcp, type Socket } from 'node:net'
import { invalidOption } from './errors.js'
import type { ServerAddress } from './server-address.js'
import type { ByteStream, ByteStreamEvents, SocketOpener, SocketOptions } from './socket.js'
import { tlsDialer, tlsFailure } from './tls-node.js'
import { openWebSocket } from './websocket-node.js'

export { aFunction as dialCheck, recordOfStrings as headersCheck } from './option-checks.js'
export { tlsCheck } from './tls-check.js'
export { unixServer } from './unix-server.js'

/** What a URL of a server may be. */
export const urlForms = 'use mqtt://host[:port], mqtts://, ws://, wss:// or unix:///path'

/** The form of `#socket` for Node: TCP, TLS, Unix domain sockets, and WebSockets over the first two. */
export const socketOpener: SocketOpener = (options) => {
  checkForServers(options)
  // At once only where there is something that could be wrong with it.
  let dialTls = options.tls && tlsDialer(options.tls)
  const open = (server: ServerAddress, events: ByteStreamEvents, unref: boolean, below?: Socket): ByteStream => {
    const { transport } = server
    const isTls = transport === 'tls' || transport === 'wss'
    if (isTls) dialTls ??= tlsDialer({})
    const socket = isTls && dialTls ? dialTls(server, below) : (below ?? dial(server))
    const onClose = (error?: Error): void => events.onClose(isTls ? tlsFailure(server, socket, error) : error)
    const told: ByteStreamEvents = { ...events, onClose }
    if (transport === 'ws' || transport === 'wss') return openWebSocket(server, options, socket, told, unref)
    return socketStream(socket, transport === 'tls' ? 'secureConnect' : 'connect', told, unref)
  }
  const { dial: dialing } = options
  if (!dialing) return open
  return (server, events, unref) =>
    dialedStream(
      () => dialing(server) as Promise<Socket>,
      (socket) => open(server, events, unref, socket),
      events,
    )
}

/** Tells whoever runs the program. */
export function warn(text: string): void {
  process.emitWarning(text, { type: 'GodwitWarning' })
}

/** Whether it is the error of a connection that the other side has cut. */
export function isReset(error: unknown): boolean {
  return /^(ECONNRESET|EPIPE)$/.test(String((error as { code?: unknown } | undefined)?.code))
}

/** Each of them is for some transports only. */
function checkForServers({ servers, tls, headers, dial }: SocketOptions): void {
  const unencrypted = servers.find(({ transport }) => transport !== 'tls' && transport !== 'wss')
  if (tls !== undefined && unencrypted !== undefined) {
    throw invalidOption(`'tls' is given, but ${unencrypted.url} is not encrypted: use mqtts:// or wss://`)
  }
  if (headers !== undefined && !servers.some(({ transport }) => transport === 'ws' || transport === 'wss')) {
    throw invalidOption("'headers' are for WebSockets: use ws:// or wss://, or leave them out")
  }
  if (dial !== undefined && servers.some(({ transport }) => transport === 'unix')) {
    throw invalidOption("'dial' is for servers in the network: leave it out, or the unix:// URL")
  }
}

/** A stream on a socket that somebody else connects first. */
function dialedStream(
  dialing: () => Promise<Socket>,
  open: (socket: Socket) => ByteStream,
  { onClose }: ByteStreamEvents,
): ByteStream {
  let stream: ByteStream | undefined
  let isOver = false
  const leave = (error?: Error): void => {
    if (isOver) return
    isOver = true
    onClose(error)
  }
  dialing().then(
    (socket) => {
      if (isOver) socket.destroy()
      else stream = open(socket)
    },
    (error: unknown) => leave(error instanceof Error ? error : new Error(String(error))),
  )
  const before = (): void => void queueMicrotask(() => leave())
  return {
    write: (bytes) => stream?.write(bytes) ?? false, // never before onOpen
    end: () => (stream ? stream.end() : before()),
    destroy: () => (stream ? stream.destroy() : before()),
    pause: () => stream?.pause(),
    resume: () => stream?.resume(),
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
  const isOpen = opened === 'connect' && !socket.connecting
  if (isOpen) queueMicrotask(() => socket.destroyed || events.onOpen())
  else socket.on(opened, () => events.onOpen())
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
