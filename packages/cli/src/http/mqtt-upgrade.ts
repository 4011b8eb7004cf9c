import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AdminApi } from '@godwit/admin'
import type { Broker } from '@godwit/broker'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import { consoleListener } from '../hooks-by-listener.js'

const path = '/mqtt'
const subprotocol = 'mqtt'
const mostPages = 100
const mostMessageBytes = 4 * 1_048_576
/** How often it is asked whether whoever is there may stay. */
const lookMs = 1_000

/** MQTT over a WebSocket of the HTTP server, for pages of the same server whose browser is logged in as an operator or an admin. */
export class MqttUpgrade {
  readonly #broker: Pick<Broker, 'handle'>
  readonly #api: Pick<AdminApi, 'admitMqtt' | 'isGood'>
  readonly #server: WebSocketServer
  readonly #pages = new Set<WebSocket>()

  constructor(broker: Pick<Broker, 'handle'>, api: Pick<AdminApi, 'admitMqtt' | 'isGood'>) {
    this.#broker = broker
    this.#api = api
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: mostMessageBytes,
      handleProtocols: () => subprotocol,
    })
  }

  /** Answers an upgrade. @param isTls whether it came over TLS. */
  answer(request: IncomingMessage, stream: Duplex, head: Buffer, isTls: boolean): void {
    stream.on('error', () => {}) // it closes then
    void this.#answer(request, stream, head, isTls).catch(() => stream.destroy())
  }

  async #answer(request: IncomingMessage, stream: Duplex, head: Buffer, isTls: boolean): Promise<void> {
    const { url = '', headers } = request
    const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (url.split('?', 1)[0] !== path) return refuse(stream, 404, `MQTT is at ${path}`)
    if (!offered.includes(subprotocol)) return refuse(stream, 400, 'the WebSocket subprotocol mqtt must be offered')
    if (this.#pages.size >= mostPages)
      return refuse(stream, 503, `${mostPages} pages are connected, which is all it takes`)
    const who = this.#api.admitMqtt(webRequest(request, isTls))
    if (who instanceof Response) return refuse(stream, who.status, await who.text())
    this.#server.handleUpgrade(request, stream, head, (socket) => {
      this.#pages.add(socket)
      const looking = setInterval(() => this.#api.isGood(who) || socket.terminate(), lookMs).unref()
      socket.once('close', () => {
        clearInterval(looking)
        this.#pages.delete(socket)
      })
      const address = request.socket.remoteAddress ?? ''
      this.#broker.handle(createWebSocketStream(socket), {
        transport: isTls ? 'wss' : 'ws',
        address,
        listener: consoleListener,
      })
    })
  }
}

/** At a node of a cluster that follows. */
export const noMqtt: Pick<MqttUpgrade, 'answer'> = {
  answer(_, stream) {
    stream.on('error', () => {}) // it closes then
    refuse(stream, 503, 'another node of the cluster serves')
  },
}

/** The request as the API takes one. */
function webRequest({ url = '/', headers: given }: IncomingMessage, isTls: boolean): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return new Request(new URL(url, `${isTls ? 'https' : 'http'}://${given.host ?? 'localhost'}`), { headers })
}

function refuse(stream: Duplex, status: number, why: string): void {
  stream.once('finish', () => stream.destroy())
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(why)}\r\n\r\n${why}`,
  )
}
