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
   * In the order of Client Identifiers, then of Topic Filters. Each page looks at all that its options leave.
   * @throws BrokerError `invalid-option`.
   */
  list(options: SubscriptionPageOptions = {}): Page<SubscriptionView> {
    return pageOf(
      this.#names(options),
      options,
      (name) => {
        const [clientId = '', filter = ''] = name.split(between)
        return viewOf(clientId, filter, this.#registry.get(clientId)!.subscriptions.get(filter)!)
      },
      { clientId: true, filter: true },
    )
  }

  /** All of them, page by page: `for await (const subscription of broker.subscriptions)`. */
  [Symbol.asyncIterator](): AsyncGenerator<SubscriptionView, undefined> {
    return everyItem((options) => this.list(options))
  }

  *#names({ clientId, filter }: SubscriptionPageOptions): Generator<string> {
    const one = clientId === undefined ? undefined : this.#registry.get(clientId)
    const sessions = clientId === undefined ? this.#registry.all() : one ? [one] : []
    for (const session of sessions) {
      for (const own of session.subscriptions.keys()) {
        if (filter === undefined || own === filter) yield `${session.clientId}${between}${own}`
      }
    }
  }
}

function viewOf(clientId: string, filter: string, grant: Grant): SubscriptionView {
  const { qos, noLocal, retainAsPublished, identifier } = grant
  const shareName = splitShared(filter)?.group
  return { clientId, filter, shareName, qos, noLocal, retainAsPublished, subscriptionIdentifier: identifier }
}
