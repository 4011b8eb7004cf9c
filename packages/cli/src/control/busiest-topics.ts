import type { TopicWatch } from '@godwit/broker'
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
  #watched: TopicWatch
  #since = performance.now()
  #isStopped = false

  /** Begins the first span. */
  static async of(broker: Pick<InspectedBroker, 'watchTopics'>): Promise<BusiestTopics> {
    return new BusiestTopics(broker, await broker.watchTopics())
  }

  private constructor(broker: Pick<InspectedBroker, 'watchTopics'>, watched: TopicWatch) {
    this.#broker = broker
    this.#watched = watched
  }

  /** Ends a span and begins the next one. */
  async next(): Promise<void> {
    const ended = this.#watched
    const now = performance.now()
    const begun = await this.#broker.watchTopics()
    const { topics } = await ended.top(keptTopics)
    await ended.stop()
    if (this.#isStopped) return begun.stop()
    this.#spans.push({ ms: now - this.#since, topics })
    if (this.#spans.length > mostSpans) this.#spans.shift()
    this.#watched = begun
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

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#watched.stop()
  }
}
