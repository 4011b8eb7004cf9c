import type { InspectedBroker } from './inspected-broker.js'

/** What was published to a topic, a second on average. */
export interface TopicRate {
  readonly topic: string
  readonly messages: number
  readonly bytes: number
}

/** How many spans are looked back at, and how many topics of each are kept. */
const mostSpans = 10
const keptTopics = 200

/**
 * Which topics were the busiest lately. Each span, of a second or so, is counted by itself, so that what was busy an hour
 * ago is not busy for ever.
 */
export class BusiestTopics {
  readonly #broker: Pick<InspectedBroker, 'watchTopics'>
  readonly #spans: { readonly ms: number; readonly topics: readonly TopicRate[] }[] = []
  #watched: ReturnType<InspectedBroker['watchTopics']>
  #since = performance.now()

  constructor(broker: Pick<InspectedBroker, 'watchTopics'>) {
    this.#broker = broker
    this.#watched = broker.watchTopics()
  }

  /** Ends a span and begins the next one. */
  next(): void {
    const now = performance.now()
    this.#spans.push({ ms: now - this.#since, topics: this.#watched.top(keptTopics) })
    if (this.#spans.length > mostSpans) this.#spans.shift()
    this.#watched.stop()
    this.#watched = this.#broker.watchTopics()
    this.#since = now
  }

  /** The busiest first, over the spans looked back at. */
  top(count: number): readonly TopicRate[] {
    const sums = new Map<string, { topic: string; messages: number; bytes: number }>()
    const seconds = this.#spans.reduce((sum, { ms }) => sum + ms, 0) / 1_000
    for (const { topic, messages, bytes } of this.#spans.flatMap(({ topics }) => topics)) {
      if (topic.startsWith('$SYS/')) continue // the broker's own: nobody keeps it busy with them
      const sum = sums.get(topic) ?? { topic, messages: 0, bytes: 0 }
      sum.messages += messages
      sum.bytes += bytes
      sums.set(topic, sum)
    }
    return [...sums.values()]
      .sort((one, other) => other.messages - one.messages || other.bytes - one.bytes)
      .slice(0, count)
      .map(({ topic, messages, bytes }) => ({ topic, messages: messages / seconds, bytes: bytes / seconds }))
  }

  stop(): void {
    this.#watched.stop()
  }
}
