import type { Commit } from '../commit.js'
import { BrokerError } from '../errors.js'
import type { Registry } from '../session/registry.js'
import type { Session } from '../session/session.js'
import type { Slices } from '../time/slices.js'
import { checkPage, Listing, type Page, type PageOptions, pageOf } from './page.js'
import { type QueuedView, queueOf } from './queued.js'

/** A session, with or without a connection, as it is now. */
export interface SessionView {
  readonly clientId: string
  readonly connected: boolean
  /** Whether it is the program around the broker that uses it now; see `broker.session`. Then it counts as connected. */
  readonly inside: boolean
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

/** The sessions of connected clients, and those that wait for theirs. What is asked wrongly rejects. */
export class Sessions extends Listing<SessionView> {
  readonly #registry: Registry
  readonly #slices: Slices
  readonly #whenFlushed: (commit: Commit) => Promise<void>

  constructor(registry: Registry, slices: Slices, whenFlushed: (commit: Commit) => Promise<void>) {
    const view = (clientId: string): SessionView | undefined => {
      const session = registry.get(clientId)
      return session && viewOf(session, registry.expiresAt(session))
    }
    super({ names: (from) => registry.names.from(from), view }, slices)
    this.#registry = registry
    this.#slices = slices
    this.#whenFlushed = whenFlushed
  }

  async count(): Promise<number> {
    return this.#registry.count
  }

  /**
   * Some of what waits for its client, and of what was sent and is not acknowledged, in order; `next` of a page, as `after`, brings
   * what follows. Of a session that ends with its connection, what was sent is not kept, and not shown. Without such a session the
   * page is empty.
   * @throws BrokerError `invalid-option`.
   */
  async queue(clientId: string, options: PageOptions = {}): Promise<Page<QueuedView>> {
    checkPage(options)
    const { after } = options
    if (after !== undefined && after !== '' && !/^[0-9]{1,16}$/.test(after)) {
      throw new BrokerError('invalid-option', 'after takes what a page gave as next')
    }
    const session = this.#registry.get(clientId)
    return session ? pageOf(queueOf(session.delivery), options, this.#slices) : { items: [], next: undefined }
  }

  /**
   * Ends a session, with all that waits for it; a connected client is disconnected (0x98, Administrative action), and its
   * will is published. Resolves when its end is on the disk too: no start brings it back.
   * @returns whether there was one.
   * @throws BrokerError `closed`, when the broker is closed and the disk has not taken it.
   */
  async end(clientId: string): Promise<boolean> {
    const commit = this.#registry.remove(clientId)
    if (commit === undefined) return false
    await this.#whenFlushed(commit)
    return true
  }
}

function viewOf(session: Session, expiresAt: number | undefined): SessionView {
  const { clientId, user, subscriptions, delivery, expirySeconds } = session
  return {
    clientId,
    connected: user !== undefined,
    inside: user?.isInside ?? false,
    expiresAt,
    durable: expirySeconds > 0,
    subscriptions: subscriptions.size,
    queued: delivery.waiting,
    inflight: delivery.window.inflight,
  }
}
