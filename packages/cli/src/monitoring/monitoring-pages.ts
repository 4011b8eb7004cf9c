import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Broker, type Logger, prometheusText, type Readiness } from '@godwit/broker'
import type { EventLoopDelay } from './event-loop-delay.js'
import { processText } from './process-text.js'

/** What they show. */
export type Monitored = Pick<
  Broker,
  'metrics' | 'accounts' | 'clients' | 'sessions' | 'subscriptions' | 'retained' | 'readiness'
>

/** What is shown of a broker, or of a node of a cluster. */
export interface Shown {
  /** In the form of Prometheus. */
  text(): Promise<string>
  readiness(): Promise<Readiness>
}

/** What answers to requests for them. */
export interface Pages {
  answer(request: IncomingMessage, response: ServerResponse): void
}

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

const plain = 'text/plain; charset=utf-8'
const prometheus = 'text/plain; version=0.0.4; charset=utf-8'
const paths: readonly string[] = ['/metrics', '/healthz', '/readyz']

/**
 * What is shown of a broker, with the process it runs in.
 * @param more texts of what else there is to count.
 */
export function shownOf(broker: Monitored, delay: EventLoopDelay, more: readonly (() => string)[] = []): Shown {
  return {
    text: async () => [await prometheusText(broker), ...more.map((text) => text()), processText(delay)].join(''),
    readiness: () => broker.readiness(),
  }
}

/** `/metrics` for Prometheus, `/healthz` and `/readyz` for who starts and ends brokers; on whatever server. */
export class MonitoringPages implements Pages {
  readonly #shown: Shown
  readonly #log: Logger

  constructor(shown: Shown, log: Logger) {
    this.#shown = shown
    this.#log = log
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

  async #page(path: string): Promise<Page> {
    switch (path) {
      case '/metrics':
        return { status: 200, type: prometheus, body: await this.#shown.text() }
      case '/healthz':
        return { status: 200, type: plain, body: 'ok\n' }
      case '/readyz': {
        const { ready, reasons } = await this.#shown.readiness()
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
