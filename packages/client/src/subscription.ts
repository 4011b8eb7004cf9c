import type { PropertiesOf, QoS, TopicPattern } from '@godwit/protocol'
import type { AnyClientError } from './errors.js'
import type { FilterGrant } from './filter-grant.js'
import type { Message, ReceivedMessage } from './message.js'
import type { CallOptions } from './options.js'
import { quiet } from './quiet.js'

export interface SubscribeOptions<F extends string = string> extends CallOptions {
  /** The highest QoS at which the server shall deliver. Default 0. */
  readonly qos?: QoS
  /**
   * The callback form. One message at a time, in order: the next one waits until a returned promise settles; whatever else
   * it returns means nothing. A handler that throws or rejects ends the subscription with its error and leaves that message
   * unacknowledged; `closed` rejects, and the event `unsubscribed` tells.
   */
  readonly onMessage?: (message: Message<F>) => unknown
  /**
   * 'auto' (the default): a message is acknowledged when the loop that took it asks for the next one, or when its handler
   * has finished. 'manual': when `message.ack()` is called.
   */
  readonly ack?: 'auto' | 'manual'
  /**
   * What to do when the server refuses some of several filters. False (the default): the call rejects with
   * SubscriptionRefusedError and nothing stays subscribed. True: it rejects only when all are refused.
   */
  readonly partial?: boolean
  /** 5.0: messages this client published itself are not wanted; not with `$share/…`. Default false. */
  readonly noLocal?: boolean
  /** 5.0: `message.retain` is what the publisher said. Default false: it marks messages sent for a new subscription. */
  readonly retainAsPublished?: boolean
  /**
   * 5.0: retained messages are wanted 0 = each time the client subscribes (the default), 1 = only if the server had no
   * such subscription yet, 2 = never.
   */
  readonly retainHandling?: 0 | 1 | 2
  /**
   * For SUBSCRIBE (5.0). Subscription Identifiers are the client's own affair.
   *
   * The server has one subscription a filter. Where several of this client want the same one, it gets the highest QoS,
   * the lowest `retainHandling`, `retainAsPublished` if one asks for it, `noLocal` if all do, and the latest properties.
   */
  readonly properties?: Pick<PropertiesOf<'subscribe'>, 'userProperties'>
}

/**
 * A subscription that lasts: after a reconnection the client asks again for what the server has forgotten. Iterate over
 * it, or give `onMessage`; both are fed by one queue. Several loops share the messages among them, and each acknowledges
 * its own. Where one iterator is pulled several times at once, each further pull acknowledges the earliest message taken
 * from it: that suits batches; workers that end out of order need a loop each.
 *
 * Leaving a `for await` loop ends the subscription. The message at hand then stays unacknowledged, so that a kept
 * session delivers it again (unless a later message of the same QoS is acknowledged first: acknowledgements keep
 * order); call `message.ack()` before leaving when it is done with. Messages not yet taken are acknowledged and
 * discarded.
 */
export interface Subscription<F extends string = string> extends AsyncIterable<Message<F>>, AsyncDisposable {
  /** As they went over the wire, without names. */
  readonly filters: readonly string[]
  /** The server's latest answer to each filter. */
  readonly granted: readonly FilterGrant[]
  /** Messages that wait to be taken. */
  readonly buffered: number
  /** Resolves once it has ended by unsubscribe() or close(); rejects with the error that ended it. */
  readonly closed: Promise<void>
  /**
   * Ends it: iterators finish at once, and the promise resolves when the server has confirmed (UNSUBACK), or needs not
   * be told. Rejects with UnsubscribeRefusedError when the server will not (5.0). While offline with a kept session it waits for the next connection. Repeating it is harmless.
   */
  unsubscribe(options?: CallOptions): Promise<void>
}

/** What a subscription needs of the client. */
interface SubscriptionHost {
  /** Messages waiting for consumers became more or fewer. */
  onBuffered(change: number): void
  /** Its handler failed. */
  onFailed(error: unknown): void
  /** It has ended and wants no more messages. May be repeated; the promise settles when the server has been told. */
  onEnd(options: CallOptions | undefined): Promise<void>
}

/** One queue between the router and the consumer, whichever form the consumer has. */
export class ActiveSubscription<F extends string> implements Subscription<F> {
  patterns: readonly TopicPattern<F>[]
  readonly options: SubscribeOptions<F>
  readonly closed: Promise<void>
  readonly #host: SubscriptionHost
  readonly #grants = new Map<string, number>()
  #queue: ReceivedMessage<F>[] = []
  readonly #pulls: Pull<F>[] = []
  /** Taken by consumers and not finished. */
  readonly #unfinished = new Set<ReceivedMessage<F>>()
  #handling = false
  #state: 'open' | 'draining' | 'ended' = 'open'
  #error: AnyClientError | undefined
  #close!: (error?: unknown) => void

  constructor(patterns: readonly TopicPattern<F>[], options: SubscribeOptions<F>, host: SubscriptionHost) {
    this.patterns = patterns
    this.options = options
    this.#host = host
    this.closed = quiet(
      new Promise((resolve, reject) => {
        this.#close = (error) => (error === undefined ? resolve() : reject(error))
      }),
    )
  }

  get filters(): readonly string[] {
    return this.patterns.map((pattern) => pattern.filter)
  }

  get granted(): readonly FilterGrant[] {
    return [...this.#grants].map(([filter, reasonCode]) => ({ filter, reasonCode }))
  }

  get buffered(): number {
    return this.#queue.length
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** The server's answer to one filter; true when all filters have one. */
  grant(filter: string, reasonCode: number): boolean {
    this.#grants.set(filter, reasonCode)
    return this.isAnswered
  }

  get isAnswered(): boolean {
    return this.#grants.size === new Set(this.filters).size
  }

  /** This filter is not wanted any more; without any it ends. */
  forgo(filter: string): void {
    const rest = this.patterns.filter((pattern) => pattern.filter !== filter)
    if (rest.length === 0) return this.#finish()
    this.patterns = rest
    this.#grants.delete(filter)
  }

  push(message: ReceivedMessage<F>): void {
    if (this.#state !== 'open') return message.ack()
    this.#queue.push(message)
    this.#host.onBuffered(1)
    this.#advance()
  }

  /** The client ended: what has been received is still given, then the error. */
  fail(error: AnyClientError): void {
    if (this.#state !== 'open') return
    this.#state = 'draining'
    this.#error = error
    this.#advance()
  }

  /** The client was closed: iterators finish, nothing is acknowledged any more. */
  stop(): void {
    this.#end()
  }

  unsubscribe(options?: CallOptions): Promise<void> {
    return this.#leave(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#leave()
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<F>> {
    const taken: ReceivedMessage<F>[] = []
    return {
      next: () => this.#next(taken),
      return: () => {
        // Not awaited: leaving a loop must not depend on the server.
        void this.#leave()
        return Promise.resolve({ done: true, value: undefined })
      },
    }
  }

  /** Asking for the next message acknowledges one taken before, by the same iterator. */
  #next(taken: ReceivedMessage<F>[]): Promise<IteratorResult<Message<F>>> {
    const done = taken.shift()
    if (done !== undefined) this.#acknowledge(done)
    return quiet(
      new Promise((resolve, reject) => {
        this.#pulls.push({ taken, resolve, reject })
        this.#advance()
      }),
    )
  }

  #acknowledge(message: ReceivedMessage<F>): void {
    this.#unfinished.delete(message)
    message.ack()
  }

  #advance(): void {
    if (this.options.onMessage === undefined) {
      while (this.#queue.length > 0 && this.#pulls.length > 0) {
        const pull = this.#pulls.shift()!
        const message = this.#take()
        if (this.options.ack !== 'manual') pull.taken.push(message)
        pull.resolve({ done: false, value: message })
      }
    } else {
      while (this.#queue.length > 0 && !this.#handling) this.#handle(this.options.onMessage, this.#take())
    }
    if (this.#state === 'draining' && this.#queue.length === 0 && !this.#handling) this.#end()
    if (this.#state === 'ended') this.#finishPulls()
  }

  #take(): ReceivedMessage<F> {
    const message = this.#queue.shift()!
    if (this.options.ack !== 'manual') this.#unfinished.add(message)
    this.#host.onBuffered(-1)
    return message
  }

  #handle(handler: NonNullable<SubscribeOptions<F>['onMessage']>, message: ReceivedMessage<F>): void {
    try {
      const result = handler(message)
      if (!isThenable(result)) return this.#handled(message)
      this.#handling = true
      // Not `result.then`: a thenable of somebody else's may call back at once, twice or never in a promise's order.
      Promise.resolve(result).then(
        () => {
          this.#handling = false
          this.#handled(message)
          this.#advance()
        },
        (error: unknown) => this.#handlerFailed(error),
      )
    } catch (error) {
      this.#handlerFailed(error)
    }
  }

  #handled(message: ReceivedMessage<F>): void {
    if (this.options.ack !== 'manual') this.#acknowledge(message)
  }

  #handlerFailed(error: unknown): void {
    this.#handling = false
    this.#close(error)
    this.#host.onFailed(error)
    void this.#leave()
  }

  #leave(options?: CallOptions): Promise<void> {
    this.#finish()
    return this.#host.onEnd(options)
  }

  /** Nobody wants it any more. What is with a consumer stays unacknowledged unless that finishes it. */
  #finish(): void {
    if (this.#state === 'ended') return
    const unwanted = this.#queue
    this.#end()
    for (const message of unwanted) message.ack() // [MQTT-4.5.0-2]
    for (const message of this.#unfinished) message.abandon()
    this.#unfinished.clear()
  }

  #end(): void {
    this.#state = 'ended'
    if (this.#queue.length > 0) this.#host.onBuffered(-this.#queue.length)
    this.#queue = []
    this.#close(this.#error)
    this.#finishPulls()
  }

  #finishPulls(): void {
    for (const pull of this.#pulls.splice(0)) {
      const error = this.#error
      this.#error = undefined
      if (error === undefined) pull.resolve({ done: true, value: undefined })
      else pull.reject(error)
    }
  }
}

interface Pull<F extends string> {
  /** What its iterator has taken and not finished, the earliest first. */
  readonly taken: ReceivedMessage<F>[]
  resolve(result: IteratorResult<Message<F>>): void
  reject(error: unknown): void
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}
