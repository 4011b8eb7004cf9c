import { Readable } from 'node:stream'
import { ProtocolError, type QoS, type TopicParams, type TopicPattern, topicPattern } from '@godwit/protocol'
import { bufferOver } from '../buffer-over.js'
import type { Commit } from '../commit.js'
import type { Drops } from '../drops.js'
import { BrokerError } from '../errors.js'
import type { Logger } from '../log.js'
import type { Message } from '../message.js'
import type { LocalProperties } from './local-message.js'
import type { Subscriber } from './subscriber.js'

/** A message for an in-process subscriber. */
export interface LocalMessage<F extends string = string> {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  /** True for a message that was retained when the subscription was made. */
  readonly retain: boolean
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
export const maxWaitingLocal = 10_000

/**
 * A subscription of the program that embeds the broker. Either a listener gets each message at once, or the
 * subscription is iterated; both see the same messages in the same order.
 */
export class LocalSubscription<F extends string = string>
  implements Subscriber, AsyncIterable<LocalMessage<F>>, AsyncDisposable
{
  readonly clientId = ''
  readonly durable = false
  readonly #pattern: TopicPattern<F>
  readonly #listener: ((message: LocalMessage<F>) => void) | undefined
  readonly #drops: Drops
  readonly #log: Logger
  readonly #leave: () => void
  readonly #waiting = new Readable({ objectMode: true, highWaterMark: maxWaitingLocal, read() {} })

  constructor(
    pattern: TopicPattern<F>,
    listener: ((message: LocalMessage<F>) => void) | undefined,
    drops: Drops,
    log: Logger,
    leave: (subscription: LocalSubscription<F>) => void,
  ) {
    this.#pattern = pattern
    this.#listener = listener
    this.#drops = drops
    this.#log = log
    this.#leave = () => leave(this)
    this.#waiting.once('close', this.#leave) // whoever leaves the loop ends the subscription
  }

  deliver(message: Message): Commit {
    this.offer(message, false)
    return 0
  }

  offer(message: Message, retain: boolean): void {
    const { topic, qos, publisher, properties, expiresAt } = message.keep()
    const payload = bufferOver(message.payload)
    const params = this.#pattern.params(topic)
    const text = (): string => new TextDecoder().decode(payload)
    const local = { topic, payload, qos, retain, publisher, properties, expiresAt, params, text }
    if (this.#listener) this.#tell(this.#listener, local)
    else if (this.#waiting.readableLength >= maxWaitingLocal) this.#drops.report('slow-listener', '')
    else this.#waiting.push(local)
  }

  /** A listener that fails is the embedding program's: neither the publisher nor other subscribers may feel it. */
  #tell(listener: (message: LocalMessage<F>) => void, message: LocalMessage<F>): void {
    try {
      listener(message)
    } catch (error) {
      const { pattern } = this.#pattern
      this.#log.log('error', 'an in-process listener failed', { filter: pattern, error: String(error) })
    }
  }

  /** Ends the subscription; an iteration under way sees what had come before and ends. */
  unsubscribe(): void {
    this.#leave()
    if (!this.#waiting.destroyed && !this.#waiting.readableEnded) this.#waiting.push(null)
  }

  [Symbol.asyncIterator](): AsyncIterator<LocalMessage<F>> {
    return this.#waiting[Symbol.asyncIterator]() as AsyncIterator<LocalMessage<F>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unsubscribe()
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
