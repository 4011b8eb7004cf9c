import { type QoS, splitShared } from '@godwit/protocol'
import type { Router } from '../router/router.js'
import type { Grant } from '../router/subscriber.js'
import type { Registry } from '../session/registry.js'
import { everyItem, type Page, type PageOptions, pageOf } from './page.js'

/** A subscription of a session. */
export interface SubscriptionView {
  readonly clientId: string
  /** As it was subscribed to, `$share/NAME/` included. */
  readonly filter: string
  /** The NAME of a shared subscription. */
  readonly shareName: string | undefined
  /** Granted. */
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: none. */
  readonly subscriptionIdentifier: number
}

export interface SubscriptionPageOptions extends PageOptions {
  /** Only those of this client. */
  readonly clientId?: string
  /** Only those with exactly this Topic Filter. */
  readonly filter?: string
}

/** Between the two parts of a name: neither a Client Identifier nor a Topic Filter has it [MQTT-1.5.3-2]. */
const between = '\0'

/** The subscriptions of all sessions; those of the program that embeds the broker are not among them. */
export class SubscriptionList {
  readonly #registry: Registry
  readonly #router: Pick<Router, 'sessionSubscriptions'>

  constructor(registry: Registry, router: Pick<Router, 'sessionSubscriptions'>) {
    this.#registry = registry
    this.#router = router
  }

  get count(): number {
    return this.#router.sessionSubscriptions
  }

  /**
   * In the order of Client Identifiers, then of Topic Filters.
   * @throws BrokerError `invalid-option`.
   */
  list(options: SubscriptionPageOptions = {}): Page<SubscriptionView> {
    const view = (name: string): SubscriptionView | undefined => {
      const [clientId = '', filter = ''] = name.split(between)
      const grant = this.#registry.get(clientId)?.subscriptions.get(filter)
      return grant && viewOf(clientId, filter, grant)
    }
    return pageOf(this.#names(options), options, view, { clientId: true, filter: true })
  }

  /** All of them, page by page: `for await (const subscription of broker.subscriptions)`. */
  [Symbol.asyncIterator](): AsyncGenerator<SubscriptionView, undefined> {
    return everyItem((options) => this.list(options))
  }

  /** For each session a name of its own, so that it counts as looked at, and those of its subscriptions. */
  *#names({ clientId, filter, after = '' }: SubscriptionPageOptions): Generator<string> {
    const [from = ''] = after.split(between)
    for (const own of clientId === undefined ? this.#registry.names.from(from) : [clientId]) {
      const filters =
        filter === undefined ? [...(this.#registry.get(own)?.subscriptions.keys() ?? [])].sort() : [filter]
      for (const one of ['', ...filters]) {
        const name = `${own}${between}${one}`
        if (name > after) yield name
      }
    }
  }
}

function viewOf(clientId: string, filter: string, grant: Grant): SubscriptionView {
  const { qos, noLocal, retainAsPublished, identifier } = grant
  const shareName = splitShared(filter)?.group
  return { clientId, filter, shareName, qos, noLocal, retainAsPublished, subscriptionIdentifier: identifier }
}
