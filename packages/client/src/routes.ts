import type { TopicPattern } from '@godwit/protocol'
import { type FilterState, matches } from './filter-state.js'
import type { ActiveSubscription } from './subscription.js'

/** Topics whose routes are remembered. */
const routeCacheSize = 1000

/** One consumer of a topic. */
export interface Route {
  readonly subscription: ActiveSubscription<string>
  readonly pattern: TopicPattern<string>
}

/** Which subscriptions a message is for. */
export class Routes {
  readonly #active: ReadonlySet<ActiveSubscription<string>>
  readonly #filters: ReadonlyMap<string, FilterState>
  readonly #known = new Map<string, readonly Route[]>()

  constructor(active: ReadonlySet<ActiveSubscription<string>>, filters: ReadonlyMap<string, FilterState>) {
    this.#active = active
    this.#filters = filters
  }

  /** Subscriptions or their filters have changed. */
  clear(): void {
    this.#known.clear()
  }

  /** Who gets a message: those the server named, or without such a name all that match. */
  of(topic: string, identifiers: readonly number[] | undefined): readonly Route[] {
    if (identifiers === undefined) return this.match(topic)
    // No topic has U+0000: these keys cannot be taken for those of match().
    return this.#cached(`${identifiers.join()}\0${topic}`, () => this.#named(topic, identifiers))
  }

  /** Who wants a message with this topic. */
  match(topic: string): readonly Route[] {
    return this.#cached(topic, () =>
      [...this.#active].flatMap((subscription) => {
        const pattern = subscription.patterns.find(({ filter }) => matches(filter, topic))
        return pattern === undefined ? [] : [{ subscription, pattern }]
      }),
    )
  }

  #cached(key: string, find: () => readonly Route[]): readonly Route[] {
    let routes = this.#known.get(key)
    if (routes === undefined) {
      routes = find()
      if (this.#known.size >= routeCacheSize) this.#known.clear()
      this.#known.set(key, routes)
    }
    return routes
  }

  #named(topic: string, identifiers: readonly number[]): readonly Route[] {
    const named: Route[] = []
    for (const { filter, identifier, subscribers } of this.#filters.values()) {
      if (!identifiers.includes(identifier) || !matches(filter, topic)) continue
      for (const subscription of subscribers) {
        if (!named.some((route) => route.subscription === subscription)) {
          named.push({ subscription, pattern: subscription.patterns.find((pattern) => pattern.filter === filter)! })
        }
      }
    }
    // An identifier that is not known is from an earlier life of the session.
    return named.length > 0 ? named : this.match(topic)
  }
}
