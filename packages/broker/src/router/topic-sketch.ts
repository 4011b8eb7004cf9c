/** Topics counted at once, at most. */
const mostTopics = 1_000

interface Count {
  messages: number
  bytes: number
}

/** What was published to a topic since the count began. */
export interface TopicCount extends Readonly<Count> {
  readonly topic: string
}

/** The busiest topics, and what is known of the others. */
export interface BusiestTopics {
  /** The busiest first. */
  readonly topics: readonly TopicCount[]
  /** Topics that are left out: less busy, or forgotten. One that was forgotten and came again is in it twice. */
  readonly leftOut: number
  /** A count of messages may be too high by so many, at most; 0: all are exact. */
  readonly tooHighBy: number
}

/**
 * The busiest topics, in bounded memory: when twice as many as are kept have come, the less busy half is forgotten, and
 * whoever comes from then on begins with the count of the busiest forgotten one. So none that is busy is missed, and a
 * count is too high by that at most.
 */
export class TopicSketch {
  #counts = new Map<string, Count>()
  /** The count of the busiest forgotten one. */
  #forgotten = 0
  #timesForgotten = 0

  add(topic: string, bytes: number): void {
    const known = this.#counts.get(topic)
    if (known) {
      known.messages++
      known.bytes += bytes
      return
    }
    if (this.#counts.size >= 2 * mostTopics) this.#forget()
    this.#counts.set(topic, { messages: this.#forgotten + 1, bytes })
  }

  top(count: number): BusiestTopics {
    const topics = this.#sorted()
      .slice(0, Math.min(count, mostTopics))
      .map(([topic, { messages, bytes }]) => ({ topic, messages, bytes }))
    const leftOut = this.#counts.size - topics.length + this.#timesForgotten
    return { topics, leftOut, tooHighBy: this.#forgotten }
  }

  #forget(): void {
    const sorted = this.#sorted()
    this.#forgotten = sorted[mostTopics]![1].messages
    this.#timesForgotten += sorted.length - mostTopics
    this.#counts = new Map(sorted.slice(0, mostTopics))
  }

  #sorted(): (readonly [string, Count])[] {
    return [...this.#counts].sort(([, one], [, other]) => other.messages - one.messages || other.bytes - one.bytes)
  }
}
