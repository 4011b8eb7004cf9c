import { isTopicFilter, type QoS } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import type { Message } from '../message.js'
import type { Router } from '../router/router.js'
import { isSystemTopic } from '../router/system-topics.js'
import { everyItem, type Page, type PageOptions, pageOf } from './page.js'

/** A retained message. */
export interface RetainedView {
  readonly topic: string
  readonly qos: QoS
  /** A copy. */
  readonly payload: Buffer
  readonly payloadBytes: number
  /** Client Identifier of the publisher; empty for the broker and the program that embeds it. */
  readonly publisher: string
  /** Epoch ms; infinite: never. */
  readonly expiresAt: number
}

export interface RetainedPageOptions extends PageOptions {
  /** Only topics that match this Topic Filter. Default `#`, which leaves out what begins with `$`. */
  readonly filter?: string
}

/** The retained messages (section 3.3.1.3). */
export class RetainedList {
  readonly #router: Router
  readonly #now: () => number

  constructor(router: Router, now: () => number) {
    this.#router = router
    this.#now = now
  }

  /** Without those under `$SYS`. */
  get count(): number {
    return this.#router.retained.count
  }

  /** Bytes of payload. */
  get bytes(): number {
    return this.#router.retained.bytes
  }

  get(topic: string): RetainedView | undefined {
    const message = this.#router.retained.get(topic)
    return message && message.expiresAt > this.#now() ? viewOf(message) : undefined
  }

  /**
   * In the order of topics. Each page looks at all that match.
   * @throws BrokerError `invalid-option`, `invalid-topic`.
   */
  list(options: RetainedPageOptions = {}): Page<RetainedView> {
    const { filter = '#' } = options
    return pageOf(this.#topics(filter), options, (topic) => viewOf(this.#router.retained.get(topic)!), { filter: true })
  }

  /** All of them, page by page: `for await (const message of broker.retained)`. */
  [Symbol.asyncIterator](): AsyncGenerator<RetainedView, undefined> {
    return everyItem((options) => this.list(options))
  }

  /**
   * Removes all that match, from the disk too; no subscriber is told. Those under `$SYS` are the broker's own and stay.
   * @returns how many there were.
   * @throws BrokerError `invalid-topic`.
   */
  delete(filter: string): number {
    const topics = [...this.#topics(filter)].filter((topic) => !isSystemTopic(topic))
    for (const topic of topics) this.#router.forget(topic)
    return topics.length
  }

  *#topics(filter: string): Generator<string> {
    if (!isTopicFilter(filter)) {
      throw new BrokerError('invalid-topic', `${JSON.stringify(filter)} is not a topic filter`)
    }
    const matching = this.#router.retained.match(filter, this.#now)
    for (let next = matching.next(); !next.done; next = matching.next()) yield next.value.topic
  }
}

function viewOf({ topic, qos, payload, payloadBytes, publisher, expiresAt }: Message): RetainedView {
  return { topic, qos, payload: Buffer.from(payload), payloadBytes, publisher, expiresAt }
}
