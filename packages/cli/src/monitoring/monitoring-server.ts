import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '@godwit/broker'
import { logAcceptErrors } from '../accept-errors.js'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'
import type { MonitoringAddress } from './monitoring-address.js'
import type { Pages } from './monitoring-pages.js'

/** A request has a first line and a few headers; whoever sends it more slowly than this is not a monitoring system. */
const requestMs = 5_000
const mostConnections = 64

/** Counters and health over HTTP, on an address of their own. */
export class MonitoringServer {
  readonly #server: Server

  /** @throws CommandError when it cannot listen there. */
  static async open(pages: Pages, { host, port }: MonitoringAddress, log: Logger): Promise<MonitoringServer> {
    const monitoring = new MonitoringServer(pages)
    const server = monitoring.#server
    try {
      server.listen({ host, port })
      await once(server, 'listening')
    } catch (error) {
      throw new CommandError(
        `cannot listen for metrics on ${host}:${port}: ${systemProblem(error)}; choose another with --metrics [HOST:]PORT`,
      )
    }
    logAcceptErrors(server, 'the metrics server', log)
    return monitoring
  }

  private constructor(pages: Pages) {
    const limits = { requestTimeout: requestMs, headersTimeout: requestMs }
    this.#server = createServer(limits, (request, response) => pages.answer(request, response))
    this.#server.maxConnections = mostConnections
  }

  /** Where it listens, as a URL. */
  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}
