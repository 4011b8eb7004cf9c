import { isTopicFilter, matchesFilter, type QoS } from '@godwit/protocol'
import { type Commit, later, noCommit } from '../commit.js'
import { BrokerError } from '../errors.js'
import type { Message } from '../message.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { LocalProperties } from '../router/local-message.js'
import type { Router } from '../router/router.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { BrokerTime } from '../time/broker-time.js'
import type { Slices } from '../time/slices.js'
import { checkPage, everyItem, type Listed, type Page, type PageOptions, pageOf } from './page.js'

/** A retained message. */
export interface RetainedView {
  readonly topic: string
  readonly qos: QoS
  /** A copy. */
  readonly payload: Buffer
  readonly payloadBytes: number
  readonly properties: LocalProperties | undefined
  /** Client Identifier of the publisher; empty for the broker and the program that embeds it. */
  readonly publisher: string
  /** Epoch ms, to the second; `undefined`: it is not known. */
  readonly publishedAt: number | undefined
  /** Epoch ms; infinite: never. */
  readonly expiresAt: number
}

/** Which of them. */
export interface RetainedFilter {
  /** Only topics that match this Topic Filter. Default `#`, which leaves out what begins with `$`. */
  readonly filter?: string
}

export interface RetainedPageOptions extends PageOptions, RetainedFilter {}

const filterNames: NamesOf<RetainedFilter> = { filter: true }

/** What retained messages are asked of. */
interface RetainedParts {
  readonly router: Router
  readonly slices: Slices
  readonly time: BrokerTime
  /** Resolves when the store has this commit. */
  whenFlushed(commit: Commit): Promise<void>
}

/** The retained messages (section 3.3.1.3). What is asked wrongly rejects. */
export class RetainedList {
  readonly #parts: RetainedParts

  constructor(parts: RetainedParts) {
    this.#parts = parts
  }

  /** Without those under `$SYS`. */
  async count(): Promise<number> {
    return this.#parts.router.retained.count
  }

  /** Bytes that are retained: topics, properties, payloads. */
  async bytes(): Promise<number> {
    return this.#parts.router.retained.bytes
  }

  async get(topic: string): Promise<RetainedView | undefined> {
    return this.#get(topic)
  }

  /**
   * Some of them, in the order of topics; `next` of a page, as `after`, brings what follows.
   * @throws BrokerError `invalid-option`, `invalid-topic`.
   */
  async page(options: RetainedPageOptions = {}): Promise<Page<RetainedView>> {
    checkPage(options, filterNames)
    const { filter = '#' } = options
    checkFilter(filter)
    const beginning = beginningOf(filter)
    const listed: Listed<RetainedView> = {
      names: (from) => this.#names(from, beginning),
      view: (topic) => (matchesFilter(filter, topic) ? this.#get(topic) : undefined),
      bytes: ({ payloadBytes }) => payloadBytes,
    }
    return pageOf(listed, options, this.#parts.slices)
  }

  /**
   * All of them that are asked for, in that order, page by page: `for await (const message of broker.retained.list({ filter }))`.
   * @throws BrokerError `invalid-option`, `invalid-topic`, where it is first asked for one.
   */
  async *list(options: RetainedFilter = {}): AsyncGenerator<RetainedView, undefined> {
    checkNames(options, filterNames, 'list')
    return yield* everyItem((page) => this.page({ ...options, ...page }))
  }

  /** All: `for await (const message of broker.retained)`. */
  [Symbol.asyncIterator](): AsyncGenerator<RetainedView, undefined> {
    return this.list()
  }

  /**
   * Removes all that match; no subscriber is told. Those under `$SYS` are the broker's own and stay. Where there are many, it
   * takes several turns of the event loop. Resolves when they are removed from the disk too.
   * @returns how many were removed.
   * @throws BrokerError `invalid-topic`; `closed`, when the broker is closed and the disk has not taken it.
   */
  async delete(filter: string): Promise<number> {
    checkFilter(filter)
    const { router, time, whenFlushed } = this.#parts
    const now = (): number => time.expiryNow()
    let removed = 0
    let commit: Commit = noCommit
    const remove = (message: Message | undefined): void => {
      if (!message || isSystemTopic(message.topic)) return
      commit = later(commit, router.forget(message.topic))
      removed++
    }
    await new Promise<void>((resolve) => {
      router.inSlices(router.retained.match(filter, now), remove, 'removing retained messages', resolve)
    })
    await whenFlushed(commit)
    return removed
  }

  #get(topic: string): RetainedView | undefined {
    const message = this.#parts.router.retained.get(topic)
    return message && message.expiresAt > this.#parts.time.expiryNow() ? viewOf(message) : undefined
  }

  /** The topics that may match: those from there on that begin as the filter does. */
  *#names(from: string, beginning: string): Generator<string> {
    for (const topic of this.#parts.router.retained.names.from(from > beginning ? from : beginning)) {
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

function viewOf({
  topic,
  qos,
  payload,
  payloadBytes,
  properties,
  publisher,
  publishedAt,
  expiresAt,
}: Message): RetainedView {
  const at = publishedAt === 0 ? undefined : publishedAt * 1_000
  return { topic, qos, payload: Buffer.from(payload), payloadBytes, properties, publisher, publishedAt: at, expiresAt }
}
