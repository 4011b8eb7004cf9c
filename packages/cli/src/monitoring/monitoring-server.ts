import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Broker, type Logger, prometheusText } from '@godwit/broker'
import { logAcceptErrors } from '../accept-errors.js'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import { EventLoopDelay } from './event-loop-delay.js'
import type { MonitoringAddress } from './monitoring-address.js'
import { processText } from './process-text.js'

/** What it shows. */
export type Monitored = Pick<
  Broker,
  'metrics' | 'accounts' | 'clients' | 'sessions' | 'subscriptions' | 'retained' | 'readiness'
>

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

const plain = 'text/plain; charset=utf-8'
const prometheus = 'text/plain; version=0.0.4; charset=utf-8'
/** A request has a first line and a few headers; whoever sends it more slowly than this is not a monitoring system. */
const requestMs = 5_000
const mostConnections = 64

/** Counters and health over HTTP: `/metrics` for Prometheus, `/healthz` and `/readyz` for who starts and ends brokers. */
export class MonitoringServer {
  readonly #server: Server
  readonly #broker: Monitored
  readonly #delay = new EventLoopDelay()

  /** @throws CommandError when it cannot listen there. */
  static async open(broker: Monitored, { host, port }: MonitoringAddress, log: Logger): Promise<MonitoringServer> {
    const monitoring = new MonitoringServer(broker, log)
    const server = monitoring.#server
    try {
      server.listen({ host, port })
      await once(server, 'listening')
    } catch (error) {
      monitoring.#delay.stop()
      throw new CommandError(
        `cannot listen for metrics on ${host}:${port}: ${systemProblem(error)}; choose another with --metrics [HOST:]PORT`,
      )
    }
    logAcceptErrors(server, 'the metrics server', log)
    return monitoring
  }

  private constructor(broker: Monitored, log: Logger) {
    this.#broker = broker
    this.#server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        log.log('error', 'a request for metrics failed', { error: String(error) })
        response.destroy()
      })
    })
    this.#server.maxConnections = mostConnections
  }

  /** Where it listens, as a URL. */
  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async close(): Promise<void> {
    this.#delay.stop()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const isRead = method === 'GET' || method === 'HEAD'
    const { status, type, body } = isRead
      ? await this.#page(url.replace(/\?.*/s, ''))
      : { status: 405, type: plain, body: 'only GET and HEAD are answered here\n' }
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...(!isRead && { allow: 'GET, HEAD' }),
    })
    response.end(method === 'HEAD' ? undefined : body)
  }

  async #page(path: string): Promise<Page> {
    switch (path) {
      case '/metrics':
        return { status: 200, type: prometheus, body: (await prometheusText(this.#broker)) + processText(this.#delay) }
      case '/healthz':
        return { status: 200, type: plain, body: 'ok\n' }
      case '/readyz': {
        const { ready, reasons } = await this.#broker.readiness()
        return {
          status: ready ? 200 : 503,
          type: plain,
          body: ready ? 'ready\n' : `not ready: ${reasons.join('; ')}\n`,
        }
      }
      default:
        return { status: 404, type: plain, body: 'there is /metrics, /healthz and /readyz\n' }
    }
  }
}
