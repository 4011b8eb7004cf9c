import type { Registry } from '../session/registry.js'
import type { Session } from '../session/session.js'
import { everyItem, type Page, type PageOptions, pageOf } from './page.js'

/** A session, with or without a connection, as it is now. */
export interface SessionView {
  readonly clientId: string
  readonly connected: boolean
  /** When it ends without a connection, in epoch ms; infinite: never. `undefined` while it has one. */
  readonly expiresAt: number | undefined
  /** Whether it outlives its connection. */
  readonly durable: boolean
  readonly subscriptions: number
  /** Messages that have not been sent. */
  readonly queued: number
  /** Messages sent at QoS 1 and 2 and not yet acknowledged. */
  readonly inflight: number
}

/** The sessions of connected clients, and those that wait for theirs. */
export class Sessions {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  get count(): number {
    return this.#registry.count
  }

  get(clientId: string): SessionView | undefined {
    const session = this.#registry.get(clientId)
    return session && this.#viewOf(session)
  }

  /**
   * In the order of Client Identifiers.
   * @throws BrokerError `invalid-option`.
   */
  list(options: PageOptions = {}): Page<SessionView> {
    return pageOf(this.#registry.names.from(options.after ?? ''), options, (clientId) => this.get(clientId))
  }

  /** All of them, page by page: `for await (const session of broker.sessions)`. */
  [Symbol.asyncIterator](): AsyncGenerator<SessionView, undefined> {
    return everyItem((options) => this.list(options))
  }

  /**
   * Ends a session, with all that waits for it; a connected client is disconnected (0x98, Administrative action), and its
   * will is published.
   * @returns whether there was one.
   */
  end(clientId: string): boolean {
    return this.#registry.remove(clientId)
  }

  #viewOf(session: Session): SessionView {
    const { clientId, user, subscriptions, delivery, expirySeconds } = session
    return {
      clientId,
      connected: user !== undefined,
      expiresAt: this.#registry.expiresAt(session),
      durable: expirySeconds > 0,
      subscriptions: subscriptions.size,
      queued: delivery.waiting,
      inflight: delivery.window.inflight,
    }
  }
}
