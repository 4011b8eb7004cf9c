import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import type { Pair } from './certificates.js'
import { Peer } from './scripted-server.js'

/** A listening socket of this machine: each connection made to it is for the test to play. */
export class Door {
  readonly url: string
  readonly #server: Server | HttpServer
  readonly #sockets = new Set<Socket>()

  static async tcp(onConnection: (socket: Socket) => void): Promise<Door> {
    return Door.#listening(createServer(onConnection), 'mqtt')
  }

  static async unix(path: string, onConnection: (socket: Socket) => void): Promise<Door> {
    const server = createServer(onConnection).listen(path)
    await once(server, 'listening')
    return new Door(server, `unix://${path}`)
  }

  static async tls(options: TlsOptions, onConnection: (socket: Socket) => void): Promise<Door> {
    const server = createTlsServer(options, onConnection)
    server.on('tlsClientError', () => {}) // the client's error is what the tests look at
    return Door.#listening(server, 'mqtts')
  }

  /** With `tls`, over TLS. It takes whatever subprotocol comes first; the request is for the test to look at. */
  static async webSocket(
    onConnection: (socket: WebSocket, request: IncomingMessage) => void,
    tls?: TlsOptions,
  ): Promise<Door> {
    const server = tls ? createHttpsServer(tls) : createHttpServer()
    server.on('tlsClientError', () => {})
    new WebSocketServer({ server, path: '/mqtt' }).on('connection', onConnection)
    return Door.#listening(server, tls ? 'wss' : 'ws')
  }

  static async #listening(server: Server | HttpServer, scheme: string): Promise<Door> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Door(server, `${scheme}://localhost:${(server.address() as AddressInfo).port}`)
  }

  private constructor(server: Server | HttpServer, url: string) {
    this.#server = server
    this.url = url
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** For connections from now on. */
  setCertificate(pair: Pair): void {
    ;(this.#server as TlsServer).setSecureContext(pair)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** The server's end of a connection in the hands of the test. */
export function peerOn(stream: Duplex, url = ''): Peer {
  const peer = new Peer(url, {
    onOpen: () => {},
    onData: (bytes) => void stream.write(bytes),
    onDrain: () => {},
    onClose: () => void stream.destroy(),
  })
  stream.on('data', (chunk: Uint8Array) => void peer.stream.write(chunk))
  stream.on('error', () => {})
  return peer
}

/** Takes CONNECT and answers it; what comes after is dropped. */
export function welcoming(stream: Duplex): void {
  void peerOn(stream).welcome()
}

export function webSocketPeer(socket: WebSocket): Peer {
  return peerOn(createWebSocketStream(socket))
}
