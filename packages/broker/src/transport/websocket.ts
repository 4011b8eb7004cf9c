import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ServerOptions, WebSocketServer } from 'ws'
import type { Limits } from '../limits.js'
import { isLoopback } from '../network.js'
import type { Handshakes } from './handshakes.js'
import type { WebSocketOptions } from './listen-options.js'
import type { Peer } from './transport.js'
import { WebSocketStream } from './websocket-stream.js'

/** Request line and headers together. */
const maxHeaderBytes = 8_192
/** Of the parts in which a message may come, on average: each is held with some hundred bytes of its own. */
const leastPartBytes = 128
/** How long the other side may take to answer our closing frame. */
const closeTimeoutMs = 2_000

/** What clients may offer; the first is the standard's [MQTT-6.0.0-3] [MQTT-6.0.0-4]. */
const subprotocols = ['mqtt', 'mqttv3.1'] as const

/** Bounds of the messages of one connection. */
function boundsOf({ maxPacketBytes }: Pick<Limits, 'maxPacketBytes'>): object {
  const maxBufferedChunks = Math.max(1_024, Math.ceil(maxPacketBytes / leastPartBytes))
  return { maxPayload: maxPacketBytes, maxBufferedChunks }
}

interface Entry {
  readonly socket: Socket
  readonly peer: Peer
}

interface Objection {
  readonly status: 400 | 403 | 404 | 431
  readonly why: string
}

const tooLarge: Objection = { status: 431, why: `the request has more than ${maxHeaderBytes} bytes of headers` }
const noRequest: Objection = { status: 400, why: 'what came is no HTTP request' }

/** The WebSocket step of a listener (section 6): its HTTP server never listens, it is given sockets. */
export class WebSocketStep {
  readonly #options: WebSocketOptions
  /** Whether web pages of others must be kept out, because whoever reaches this address may come in. */
  readonly #isGuarded: () => boolean
  readonly #limits: Pick<Limits, 'maxPacketBytes'>
  readonly #handshakes: Handshakes
  readonly #next: (stream: Duplex, socket: Socket, peer: Peer) => void
  readonly #entries = new WeakMap<Duplex, Entry>()
  readonly #http = createServer({ maxHeaderSize: maxHeaderBytes, keepAlive: true, noDelay: true })
  readonly #server: WebSocketServer

  constructor(
    options: WebSocketOptions,
    isGuarded: () => boolean,
    limits: Pick<Limits, 'maxPacketBytes'>,
    handshakes: Handshakes,
    next: (stream: Duplex, socket: Socket, peer: Peer) => void,
  ) {
    this.#options = options
    this.#isGuarded = isGuarded
    this.#handshakes = handshakes
    this.#limits = limits
    this.#next = next
    const serverOptions: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      closeTimeout: closeTimeoutMs,
      handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
    }
    this.#server = new WebSocketServer(serverOptions)
    this.#http.on('request', (request, response) => {
      this.#tell(request.socket, 'no WebSocket upgrade')
      response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' })
      response.end(
        `MQTT over WebSocket is served here, at ${this.#path === '*' ? 'any path' : this.#path}, to clients that ask for an upgrade.\n`,
      )
      response.once('finish', () => request.socket.destroySoon())
    })
    this.#http.on('clientError', (error: NodeJS.ErrnoException, stream: Duplex) => {
      // Its parser's codes say what is wrong with what came; any other, that the connection has ended.
      if (!error.code?.startsWith('HPE_')) return void stream.destroy()
      this.#refuse(stream, error.code === 'HPE_HEADER_OVERFLOW' ? tooLarge : noRequest)
    })
    this.#http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#upgrade(request, stream, head),
    )
  }

  readonly enter = (stream: Duplex, socket: Socket, peer: Peer): void => {
    this.#entries.set(stream, { socket, peer })
    this.#http.emit('connection', stream)
  }

  get #path(): string {
    return this.#options.path ?? '/mqtt'
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const entry = this.#entries.get(stream)
    if (!entry) return void stream.destroy()
    const objection = this.#objectionTo(request)
    if (objection) return this.#refuse(stream, objection)
    Object.assign(this.#server.options, boundsOf(this.#limits)) // they are those of the connection from then on
    this.#server.handleUpgrade(request, stream, head, (webSocket) => {
      const transport = entry.peer.transport === 'tls' ? 'wss' : 'ws'
      this.#next(new WebSocketStream(webSocket, stream), entry.socket, { ...entry.peer, transport })
    })
  }

  #objectionTo({ url = '', headers }: IncomingMessage): Objection | undefined {
    const { origins } = this.#options
    const { origin, host = '' } = headers
    if (this.#path !== '*' && url.split('?', 1)[0] !== this.#path)
      return { status: 404, why: `MQTT is at ${this.#path}` }
    const isAllowed = origins ? origins.includes(origin ?? '') : !this.#isGuarded()
    if (origin !== undefined && !isAllowed) {
      return { status: 403, why: 'pages of this Origin may not connect; the option origins allows them' }
    }
    // A name that an attacker's server resolves to this machine is a Host of the attacker's (DNS rebinding).
    if (this.#isGuarded() && !isLoopback(hostName(host))) {
      return { status: 403, why: 'where anybody may come in, Host must be a loopback address; ask for localhost' }
    }
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (!subprotocols.some((name) => offered.includes(name))) {
      return { status: 400, why: 'the WebSocket subprotocol mqtt must be offered' } // [MQTT-6.0.0-3]
    }
    return undefined
  }

  #refuse(stream: Duplex, { status, why }: Objection): void {
    this.#tell(stream, why)
    stream.once('finish', () => stream.destroy())
    stream.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
        `Content-Length: ${Buffer.byteLength(why) + 1}\r\n\r\n${why}\n`,
    )
  }

  #tell(stream: Duplex, why: string): void {
    const entry = this.#entries.get(stream)
    if (entry) this.#handshakes.tell(entry.socket, 'upgrade', why)
  }
}

/** Without the port, and an IPv6 address without its brackets. */
function hostName(host: string): string {
  const [, bracketed, plain = ''] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(host) ?? []
  return (bracketed ?? plain).toLowerCase()
}
