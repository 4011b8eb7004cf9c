import { isTopicFilter, matchesFilter, type QoS } from '@godwit/protocol'
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
   * In the order of topics.
   * @throws BrokerError `invalid-option`, `invalid-topic`.
   */
  list(options: RetainedPageOptions = {}): Page<RetainedView> {
    const { filter = '#', after = '' } = options
    checkFilter(filter)
    const view = (topic: string): RetainedView | undefined =>
      matchesFilter(filter, topic) ? this.get(topic) : undefined
    return pageOf(this.#from(after, beginningOf(filter)), options, view, { filter: true })
  }

  /** All of them, page by page: `for await (const message of broker.retained)`. */
  [Symbol.asyncIterator](): AsyncGenerator<RetainedView, undefined> {
    return everyItem((options) => this.list(options))
  }

  /**
   * Removes all that match, from the disk too; no subscriber is told. Those under `$SYS` are the broker's own and stay. When
   * there is very much to look at, some of it is removed at once and the rest in the next turns of the event loop.
   * @returns how many were removed at once.
   * @throws BrokerError `invalid-topic`.
   */
  delete(filter: string): number {
    checkFilter(filter)
    let removed = 0
    const remove = (message: Message | undefined): void => {
      if (!message || isSystemTopic(message.topic)) return
      this.#router.forget(message.topic)
      removed++
    }
    this.#router.inSlices(this.#router.retained.match(filter, this.#now), remove, 'removing retained messages')
    return removed
  }

  /** The topics that may match: those from `after` on that begin as the filter does. */
  *#from(after: string, beginning: string): Generator<string> {
    for (const topic of this.#router.retained.names.from(after > beginning ? after : beginning)) {
      if (!topic.startsWith(beginning)) return
      yield topic
    }
  }
}

function checkFilter(filter: string): void {
  if (!isTopicFilter(filter)) {
    throw new BrokerError('invalid-topic', `${JSON.stringify(filter)} is not a topic filter`)
  }
}

/** What is before the first wildcard, without the separator: `#` matches its parent level too. */
function beginningOf(filter: string): string {
  const at = filter.search(/\/?[+#]/)
  return at < 0 ? filter : filter.slice(0, at)
}

function viewOf({ topic, qos, payload, payloadBytes, publisher, expiresAt }: Message): RetainedView {
  return { topic, qos, payload: Buffer.from(payload), payloadBytes, publisher, expiresAt }
}
