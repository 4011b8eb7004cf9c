import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Broker, type Logger, prometheusText } from '@godwit/broker'
import type { EventLoopDelay } from './event-loop-delay.js'
import { processText } from './process-text.js'

/** What they show. */
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
const paths: readonly string[] = ['/metrics', '/healthz', '/readyz']

/** `/metrics` for Prometheus, `/healthz` and `/readyz` for who starts and ends brokers; on whatever server. */
export class MonitoringPages {
  readonly #broker: Monitored
  readonly #delay: EventLoopDelay
  readonly #log: Logger
  readonly #more: readonly (() => string)[]

  /** @param more texts of what else there is to count. */
  constructor(broker: Monitored, delay: EventLoopDelay, log: Logger, more: readonly (() => string)[] = []) {
    this.#broker = broker
    this.#delay = delay
    this.#log = log
    this.#more = more
  }

  /** Whether a request is for one of them. */
  has({ url = '' }: IncomingMessage): boolean {
    return paths.includes(pathOf(url))
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: unknown) => {
      this.#log.log('error', 'a request for metrics failed', { error: String(error) })
      response.destroy()
    })
  }

  async #answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const isRead = method === 'GET' || method === 'HEAD'
    const { status, type, body } = isRead
      ? await this.#page(pathOf(url))
      : { status: 405, type: plain, body: 'only GET and HEAD are answered here\n' }
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...(!isRead && { allow: 'GET, HEAD' }),
    })
    response.end(method === 'HEAD' ? undefined : body)
  }

  async #metrics(): Promise<string> {
    const more = this.#more.map((text) => text()).join('')
    return (await prometheusText(this.#broker)) + more + processText(this.#delay)
  }

  async #page(path: string): Promise<Page> {
    switch (path) {
      case '/metrics':
        return { status: 200, type: prometheus, body: await this.#metrics() }
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

function pathOf(url: string): string {
  return url.replace(/\?.*/s, '')
}
