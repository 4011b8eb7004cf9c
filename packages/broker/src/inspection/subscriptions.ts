import { isTopicName, matchesFilter, type QoS, splitShared } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { Router } from '../router/router.js'
import type { Grant } from '../router/subscriber.js'
import type { Registry } from '../session/registry.js'
import type { Slices } from '../time/slices.js'
import { checkPage, everyItem, type Listed, type Page, type PageOptions, pageOf } from './page.js'

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

/** Which of them. */
export interface SubscriptionFilter {
  /** Only those of this client. */
  readonly clientId?: string
  /** Only those with exactly this Topic Filter. */
  readonly filter?: string
  /**
   * Only those through which a message of this Topic Name goes. Of a shared subscription one member gets it; a hook may still
   * refuse its delivery.
   */
  readonly topic?: string
}

export interface SubscriptionPageOptions extends PageOptions, SubscriptionFilter {}

const filterNames: NamesOf<SubscriptionFilter> = { clientId: true, filter: true, topic: true }

/** Between the two parts of a name: neither a Client Identifier nor a Topic Filter has it [MQTT-1.5.3-2]. */
const between = '\0'

/** The subscriptions of all sessions; those of the program that embeds the broker are not among them. What is asked wrongly rejects. */
export class SubscriptionList {
  readonly #registry: Registry
  readonly #router: Pick<Router, 'sessionSubscriptions'>
  readonly #slices: Slices

  constructor(registry: Registry, router: Pick<Router, 'sessionSubscriptions'>, slices: Slices) {
    this.#registry = registry
    this.#router = router
    this.#slices = slices
  }

  async count(): Promise<number> {
    return this.#router.sessionSubscriptions
  }

  /**
   * Some of them, in the order of Client Identifiers, then of Topic Filters; `next` of a page, as `after`, brings what follows.
   * @throws BrokerError `invalid-option`; `invalid-topic`, for a topic that is none.
   */
  async page(options: SubscriptionPageOptions = {}): Promise<Page<SubscriptionView>> {
    checkPage(options, filterNames)
    const { topic } = options
    if (topic !== undefined && !isTopicName(topic)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(topic)} is not a topic name`)
    }
    const filtersOf = this.#sortedFilters(options.filter)
    const listed: Listed<SubscriptionView> = {
      names: (from) => this.#names(from, options.clientId, filtersOf),
      view: (name) => this.#get(name, topic),
    }
    return pageOf(listed, options, this.#slices)
  }

  /**
   * All of them that are asked for, in that order, page by page: `for await (const subscription of broker.subscriptions.list())`.
   * @throws BrokerError `invalid-option`, where it is first asked for one.
   */
  async *list(options: SubscriptionFilter = {}): AsyncGenerator<SubscriptionView, undefined> {
    checkNames(options, filterNames, 'list')
    return yield* everyItem((page) => this.page({ ...options, ...page }))
  }

  /** All: `for await (const subscription of broker.subscriptions)`. */
  [Symbol.asyncIterator](): AsyncGenerator<SubscriptionView, undefined> {
    return this.list()
  }

  #get(name: string, topic: string | undefined): SubscriptionView | undefined {
    const [clientId = '', filter = ''] = name.split(between)
    if (topic !== undefined && !matchesFilter(splitShared(filter)?.filter ?? filter, topic)) return undefined
    const grant = this.#registry.get(clientId)?.subscriptions.get(filter)
    return grant && viewOf(clientId, filter, grant)
  }

  /** Those of one session at a time, so that a page, which comes back to a session with many, sorts them once. */
  #sortedFilters(only: string | undefined): (clientId: string) => readonly string[] {
    if (only !== undefined) return () => [only]
    let last: string | undefined
    let sorted: readonly string[] = []
    return (clientId) => {
      if (clientId !== last) sorted = [...(this.#registry.get(clientId)?.subscriptions.keys() ?? [])].sort()
      last = clientId
      return sorted
    }
  }

  /** For each session a name of its own, so that it counts as looked at, and those of its subscriptions. */
  *#names(
    from: string,
    clientId: string | undefined,
    filtersOf: (clientId: string) => readonly string[],
  ): Generator<string> {
    const [first = ''] = from.split(between)
    for (const own of clientId === undefined ? this.#registry.names.from(first) : [clientId]) {
      const itself = `${own}${between}`
      if (itself >= from) yield itself
      for (const filter of filtersOf(own)) if (itself + filter >= from) yield itself + filter
    }
  }
}

function viewOf(clientId: string, filter: string, grant: Grant): SubscriptionView {
  const { qos, noLocal, retainAsPublished, identifier } = grant
  const shareName = splitShared(filter)?.group
  return { clientId, filter, shareName, qos, noLocal, retainAsPublished, subscriptionIdentifier: identifier }
}
