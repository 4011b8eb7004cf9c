import type { QoS } from '@godwit/protocol'
import type { Subscriber } from './subscriber.js'
import { matchTopic, TopicTree } from './topic-tree.js'

/** One subscriber a message goes to, and the QoS granted to it: the highest among its filters that match [MQTT-3.3.5-1]. */
export interface Match {
  readonly subscriber: Subscriber
  readonly granted: QoS
}

/** Topics and matches remembered, together; past it the memory is started anew. */
const maxRemembered = 500_000
/** Longer topics are looked for each time, or clients could fill the memory with names nobody asks for again. */
const maxRememberedLength = 256

const hasWildcard = /[+#]/

/** Who subscribed to what. Asking for a topic again costs a lookup, until a subscription that might match it changes. */
export class Subscriptions {
  readonly #filters = new TopicTree<Map<Subscriber, QoS>>()
  #remembered = new Map<string, readonly Match[]>()
  /** Topics and matches put into `#remembered` since it was started. */
  #rememberedSize = 0
  #count = 0

  /** Subscriptions, all subscribers together. */
  get count(): number {
    return this.#count
  }

  /** Adds or replaces. */
  add(filter: string, subscriber: Subscriber, granted: QoS): void {
    const subscribers = this.#filters.getOrSet(filter, () => new Map())
    if (!subscribers.has(subscriber)) this.#count++
    subscribers.set(subscriber, granted)
    this.#forget(filter)
  }

  delete(filter: string, subscriber: Subscriber): void {
    const subscribers = this.#filters.get(filter)
    if (!subscribers?.delete(subscriber)) return
    this.#count--
    if (subscribers.size === 0) this.#filters.delete(filter)
    this.#forget(filter)
  }

  match(topic: string): readonly Match[] {
    return this.#remembered.get(topic) ?? this.#find(topic)
  }

  #find(topic: string): readonly Match[] {
    // One copy for overlapping subscriptions, at the highest QoS granted.
    const highest = new Map<Subscriber, QoS>()
    matchTopic(this.#filters, topic, (subscribers) => {
      for (const [subscriber, granted] of subscribers) {
        if (granted >= (highest.get(subscriber) ?? 0)) highest.set(subscriber, granted)
      }
    })
    const matches = Array.from(highest, ([subscriber, granted]) => ({ subscriber, granted }))
    if (topic.length <= maxRememberedLength) this.#remember(topic, matches)
    return matches
  }

  #remember(topic: string, matches: readonly Match[]): void {
    if (this.#rememberedSize > maxRemembered) this.#startAnew()
    this.#rememberedSize += 1 + matches.length
    this.#remembered.set(topic, matches)
  }

  #startAnew(): void {
    this.#remembered = new Map()
    this.#rememberedSize = 0
  }

  /** A filter without wildcards matches one topic; any other may match all that is remembered. */
  #forget(filter: string): void {
    if (!hasWildcard.test(filter)) this.#remembered.delete(filter)
    else if (this.#remembered.size > 0) this.#startAnew()
  }
}
