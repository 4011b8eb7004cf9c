import { ProtocolError, type QoS, type TopicParams, type TopicPattern, topicPattern } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import { bufferOver } from '../buffer-over.js'
import { type Commit, noCommit } from '../commit.js'
import { BrokerError } from '../errors.js'
import type { Message } from '../message.js'
import type { Sliced } from '../time/slices.js'
import type { LocalProperties } from './local-message.js'
import type { RetainedWalk } from './retained.js'
import type { Subscriber } from './subscriber.js'

/** A message for an in-process subscriber. */
export interface LocalMessage<F extends string = string> {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  /** True for a message that was retained when the subscription was made. */
  readonly retain: boolean
  /** True for a message that its publisher wants retained (Retain As Published of 5.0). */
  readonly retainAsPublished: boolean
  /** Client Identifier of the publisher; empty for the broker itself. */
  readonly publisher: string
  /** Those the publisher gave, without the Message Expiry Interval. */
  readonly properties: LocalProperties | undefined
  /** When it is no longer worth anything, in epoch ms; infinite: never. */
  readonly expiresAt: number
  /** What the named wildcards of the pattern stand for: `'+room/temp'` gives `{ room }`. */
  readonly params: TopicParams<F>
  /** The payload as text. */
  text(): string
}

/** Messages that may wait for an iterating consumer; above it they are dropped and counted. */
const maxWaitingLocal = 10_000

/** What in-process subscriptions work with. */
type LocalParts = Pick<Basics, 'drops' | 'faults' | 'slices'>

/**
 * A subscription of the program that embeds the broker. Either a listener gets each message at once, or the
 * subscription is iterated; both see the same messages. What is retained comes as fast as it is taken: an iteration pulls
 * it, and a listener gets it in portions, so that a million of them stop nobody.
 */
export class LocalSubscription<F extends string = string>
  implements Subscriber, Sliced, AsyncIterable<LocalMessage<F>>, AsyncDisposable
{
  readonly clientId = ''
  readonly durable = false
  readonly #pattern: TopicPattern<F>
  readonly #listener: ((message: LocalMessage<F>) => void) | undefined
  readonly #parts: LocalParts
  readonly #leave: () => void
  /** Retained messages that have not been given out; `undefined`: all have. */
  #retained: RetainedWalk | undefined
  #waiting: LocalMessage<F>[] = []
  /** How many retained messages have been given out. */
  #taken = 0
  #ended = false
  /** Iterations that wait for the next message, or for a turn to look for one. */
  #sleeping: (() => void)[] = []

  constructor(
    pattern: TopicPattern<F>,
    listener: ((message: LocalMessage<F>) => void) | undefined,
    parts: LocalParts,
    leave: (subscription: LocalSubscription<F>) => void,
  ) {
    this.#pattern = pattern
    this.#listener = listener
    this.#parts = parts
    this.#leave = () => leave(this)
  }

  /** What is retained comes first, or with a listener, as much of it as fits into this turn. */
  replay(retained: RetainedWalk): void {
    this.#retained = retained
    if (this.#listener) this.goOn()
  }

  deliver(message: Message): Commit {
    const local = this.#localOf(message, false)
    if (this.#listener) this.#tell(this.#listener, local)
    else if (this.#waiting.length - this.#taken >= maxWaitingLocal) this.#parts.drops.report('slow-listener', '')
    else {
      this.#waiting.push(local)
      this.#wake()
    }
    return noCommit
  }

  /** A message that it could not be given is passed over. There is no connection that could end. */
  onFault(): void {}

  /** {@link Slices} gives it a turn: it looks for more retained messages. */
  goOn(): void {
    if (this.#listener) this.#tellRetained(this.#listener)
    this.#wake()
  }

  /** Ends the subscription; an iteration under way sees what had come before and ends. */
  unsubscribe(): void {
    this.#leave()
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LocalMessage<F>, void, undefined> {
    try {
      for (let next = await this.#next(); next; next = await this.#next()) yield next
    } finally {
      this.unsubscribe() // whoever leaves the loop ends the subscription
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unsubscribe()
  }

  #tellRetained(listener: (message: LocalMessage<F>) => void): void {
    for (let more = true; more && this.#retained && !this.#ended; ) {
      const message = this.#nextRetained(this.#retained)
      if (message) this.#tell(listener, message)
      more = message !== undefined
    }
    if (this.#retained && !this.#ended) this.#parts.slices.later(this)
  }

  async #next(): Promise<LocalMessage<F> | undefined> {
    while (this.#retained) {
      const retained = this.#nextRetained(this.#retained)
      if (retained) return retained
      if (this.#retained) await this.#turn(() => this.#parts.slices.later(this))
    }
    while (this.#taken === this.#waiting.length) {
      if (this.#ended) return undefined
      await this.#turn(() => {})
    }
    const message = this.#waiting[this.#taken++]
    if (this.#taken >= 1_000 || this.#taken === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken)
      this.#taken = 0
    }
    return message
  }

  /** Looks for the next retained message, as far as this turn's steps go; `undefined`: none was found so far. */
  #nextRetained(walk: RetainedWalk): LocalMessage<F> | undefined {
    const { slices } = this.#parts
    const granted = slices.grant()
    for (let left = granted; left > 0; left--) {
      const { done, value: message } = walk.next()
      if (done) this.#retained = undefined
      if (!done && !message) continue
      slices.used(granted - left + 1)
      return message && this.#localOf(message, true)
    }
    slices.used(granted)
    return undefined
  }

  /** Resolves when something has come, or the subscription has ended, or its turn has. */
  #turn(ask: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#sleeping.push(resolve)
      ask()
    })
  }

  #wake(): void {
    for (const wake of this.#sleeping.splice(0)) wake()
  }

  #localOf(message: Message, retain: boolean): LocalMessage<F> {
    const { topic, qos, retain: retainAsPublished, publisher, properties, expiresAt } = message.keep()
    const payload = bufferOver(message.payload)
    const params = this.#pattern.params(topic)
    const text = (): string => new TextDecoder().decode(payload)
    return { topic, payload, qos, retain, retainAsPublished, publisher, properties, expiresAt, params, text }
  }

  /** A listener that fails is the embedding program's: neither the publisher nor other subscribers may feel it. */
  #tell(listener: (message: LocalMessage<F>) => void, message: LocalMessage<F>): void {
    try {
      listener(message)
    } catch (error) {
      this.#parts.faults.ofListener(error, `an in-process listener failed: that of ${this.#pattern.pattern}`)
    }
  }
}

/** @throws BrokerError `invalid-topic`. */
export function patternOf<const F extends string>(filter: F): TopicPattern<F> {
  try {
    return topicPattern(filter)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new BrokerError('invalid-topic', `${JSON.stringify(filter)} is not a topic filter: ${error.message}`)
  }
}
