import type { Broker, InsideSession, LocalSubscription } from '@godwit/broker'
import { matchesFilter } from '@godwit/protocol'
import type { TopicMap, TopicRule } from './topic-map.js'

/** Topics that are noted before those are looked for that are done. */
const looksAt = 1_000

/**
 * Knows under which topics that also come in a retained message is on its way out: the other broker will retain it after whatever
 * comes from there meanwhile.
 */
export class RetainedOutward {
  readonly #session: InsideSession
  readonly #clientId: string
  readonly #filters: readonly string[]
  readonly #listening: readonly LocalSubscription<string>[]
  /** What was in the session at the start: nobody knows what of it is retained. */
  readonly #from: number
  /** By topic here: the number in the session that it has at most. */
  readonly #numbers = new Map<string, number>()
  #untilLook = looksAt

  constructor(broker: Broker, session: InsideSession, topics: TopicMap) {
    this.#session = session
    this.#clientId = session.clientId
    this.#from = session.tail
    this.#filters = topics.rules.filter((rule) => mayMeet(rule, topics)).map(({ localFilter }) => localFilter)
    this.#listening = this.#filters.map((filter) =>
      broker.subscribe(filter, ({ topic, qos, publisher, retain, retainAsPublished }) => {
        if (qos > 0 && retainAsPublished && !retain && publisher !== this.#clientId) this.#note(topic)
      }),
    )
  }

  /** Whether one is; undefined: nobody knows yet. */
  has(topic: string): boolean | undefined {
    const { head } = this.#session
    const number = this.#numbers.get(topic)
    if (number !== undefined && number >= head) return true
    if (head >= this.#from || !this.#filters.some((filter) => matchesFilter(filter, topic))) return false
    return undefined
  }

  end(): void {
    for (const one of this.#listening) one.unsubscribe()
  }

  #note(topic: string): void {
    this.#numbers.set(topic, this.#session.tail)
    // It has its number once all who subscribed have had it.
    queueMicrotask(() => this.#numbers.set(topic, this.#session.tail - 1))
    if (--this.#untilLook > 0) return
    const { head } = this.#session
    for (const [known, number] of this.#numbers) if (number < head) this.#numbers.delete(known)
    this.#untilLook = Math.max(looksAt, this.#numbers.size)
  }
}

/** It goes out, and something comes in that may have its topics. */
function mayMeet(rule: TopicRule, { rules }: TopicMap): boolean {
  return rule.goesOut && rules.some(({ comesIn, localPrefix }) => comesIn && begin(localPrefix, rule.localPrefix))
}

/** One of two prefixes begins with the other. */
function begin(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}
