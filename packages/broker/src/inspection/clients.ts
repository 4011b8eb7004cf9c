import type { ProtocolVersion } from '@godwit/protocol'
import type { Registry } from '../session/registry.js'
import type { Session, SessionUser } from '../session/session.js'
import { everyItem, type Page, type PageOptions, pageOf } from './page.js'

/** A client that is connected, as it is now. */
export interface ClientView {
  readonly clientId: string
  readonly username: string | undefined
  /** Empty where there is none. */
  readonly address: string
  /** `tcp`, `tls`, `ws`, `wss`, `unix`, `memory`, `stream`. */
  readonly transport: string
  readonly version: ProtocolVersion
  /** Epoch ms, to the second. */
  readonly connectedAt: number
  /** The Keep Alive in force; 0: none. */
  readonly keepAliveSeconds: number
  readonly cleanStart: boolean
  readonly subscriptions: number
  /** Messages sent at QoS 1 and 2 and not yet acknowledged. */
  readonly inflight: number
  /** Messages that wait for room. */
  readonly queued: number
  /** Bytes that wait for its socket. */
  readonly outboxBytes: number
}

/** The clients that are connected. */
export class Clients {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  get count(): number {
    return this.#registry.count - this.#registry.offline
  }

  get(clientId: string): ClientView | undefined {
    const session = this.#registry.get(clientId)
    return session?.user && viewOf(session, session.user)
  }

  /**
   * In the order of Client Identifiers.
   * @throws BrokerError `invalid-option`.
   */
  list(options: PageOptions = {}): Page<ClientView> {
    return pageOf(this.#registry.names.from(options.after ?? ''), options, (clientId) => this.get(clientId))
  }

  /** All of them, page by page: `for await (const client of broker.clients)`. */
  [Symbol.asyncIterator](): AsyncGenerator<ClientView, undefined> {
    return everyItem((options) => this.list(options))
  }
}

function viewOf({ clientId, subscriptions, delivery }: Session, { facts }: SessionUser): ClientView {
  const { client, peer, connectedAt, keepAliveSeconds, outboxBytes } = facts
  const { username, address, version, cleanStart } = client
  return {
    clientId,
    username,
    address,
    transport: peer.transport,
    version,
    connectedAt,
    keepAliveSeconds,
    cleanStart,
    subscriptions: subscriptions.size,
    inflight: delivery.window.inflight,
    queued: delivery.waiting,
    outboxBytes,
  }
}
