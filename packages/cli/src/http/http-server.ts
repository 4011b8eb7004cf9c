import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import type { AdminApi } from '@godwit/admin'
import type { Logger } from '@godwit/broker'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { logAcceptErrors } from '../accept-errors.js'
import type { MonitoringAddress } from '../monitoring/monitoring-address.js'
import type { MonitoringPages } from '../monitoring/monitoring-pages.js'
import type { MqttUpgrade } from './mqtt-upgrade.js'

/** A request's first line and headers, and all of it with its body. */
const headersMs = 5_000
const requestMs = 30_000
/** Without a byte either way; a stream of events has one every fifteen seconds. */
const idleMs = 120_000
const mostConnections = 1_024
/** When it closes: looks for connections that are done, and waits no longer than this. */
const sweepMs = 20
const endMs = 1_000

export interface HttpServerParts {
  readonly api: AdminApi
  /** Counters and health, where they are served at this address. */
  readonly monitoring?: MonitoringPages | undefined
  /** The files of a page. `undefined` for what is none of them. */
  readonly page?: { fetch(request: Request): Promise<Response | undefined> } | undefined
  /** MQTT over WebSockets. Default: an upgrade is refused. */
  readonly mqtt?: Pick<MqttUpgrade, 'answer'> | undefined
  readonly log: Logger
}

/** The HTTP server of a broker: its API, the console, and where the address is the same, counters and health. */
export class HttpServer {
  readonly #server: Server | TlsServer
  #parts: HttpServerParts
  /** The last answer of each connection. */
  readonly #answering = new WeakMap<Socket, ServerResponse>()
  /** Connections that have become WebSockets: the server does not end them by itself. */
  readonly #upgraded = new Set<Duplex>()

  /**
   * @param tls where it speaks TLS.
   * @throws the system's error, when it cannot listen there.
   */
  static async open(
    { host, port }: MonitoringAddress,
    tls: SecureContextOptions | undefined,
    parts: HttpServerParts,
  ): Promise<HttpServer> {
    const http = new HttpServer(tls, parts)
    http.#server.listen({ host, port })
    await once(http.#server, 'listening')
    logAcceptErrors(http.#server, 'the HTTP server', parts.log)
    return http
  }

  private constructor(tls: SecureContextOptions | undefined, parts: HttpServerParts) {
    this.#parts = parts
    const fetched = getRequestListener((request, { incoming }) => this.#fetch(request, incoming as IncomingMessage), {
      overrideGlobalObjects: false,
    })
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answering.set(request.socket, response)
      if (this.#parts.monitoring?.has(request)) this.#parts.monitoring.answer(request, response)
      else void fetched(request, response)
    }
    const limits = { headersTimeout: headersMs, requestTimeout: requestMs, connectionsCheckingInterval: headersMs }
    this.#server = tls ? createTlsServer({ ...limits, ...tls }, answer) : createServer(limits, answer)
    this.#server.on('upgrade', (request, stream, head) => {
      this.#upgraded.add(stream)
      stream.once('close', () => this.#upgraded.delete(stream))
      if (this.#parts.mqtt) this.#parts.mqtt.answer(request, stream, head, this.#isTls)
      else stream.destroy()
    })
    this.#server.maxConnections = mostConnections
    this.#server.setTimeout(idleMs, (socket) => {
      // What is being worked on has not been answered: a backup takes its time.
      if (this.#answering.get(socket)?.headersSent !== false) socket.destroy()
    })
  }

  get #isTls(): boolean {
    return 'setSecureContext' in this.#server
  }

  /** Where it listens, as a URL. */
  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `${this.#isTls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** From here on these answer. */
  use(parts: HttpServerParts): void {
    this.#parts = parts
  }

  /** Takes other certificates; connections that are there stay. */
  renew(tls: SecureContextOptions): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext(tls)
  }

  /** Answers that have been ended go out; what is not over after a second is cut off. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const stream of this.#upgraded) stream.destroy()
    const sweep = setInterval(() => this.#server.closeIdleConnections(), sweepMs)
    const end = setTimeout(() => this.#server.closeAllConnections(), endMs)
    await closed
    clearInterval(sweep)
    clearTimeout(end)
  }

  async #fetch(request: Request, { socket }: HttpBindings['incoming']): Promise<Response> {
    const file = await this.#parts.page?.fetch(request).catch(() => undefined) // of a build that has no page
    return file ?? this.#parts.api.fetch(request, { address: socket.remoteAddress })
  }
}
