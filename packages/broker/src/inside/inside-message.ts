import type { QoS } from '@godwit/protocol'
import { withMark } from '../bridging.js'
import { bufferOver } from '../buffer-over.js'
import type { LocalProperties } from '../router/local-message.js'
import type { QueuedMessage } from '../store/queue.js'

/** A message as a session inside the process gives it. Its functions may be taken from it. */
export interface InsideMessage {
  readonly topic: string
  /** Its bytes stay as they are. Others are shown the same ones: they must not be changed. */
  readonly payload: Buffer
  /** The QoS of this delivery: the lower of the publication's and the granted one. */
  readonly qos: QoS
  /** True for a retained message sent because of a new subscription (section 3.3.1.3). */
  readonly retain: boolean
  /** True when it may have been given before. Not a proof that it was (section 3.3.1.1). */
  readonly dup: boolean
  /**
   * Its number in the session: 1 and up, rising, and the same when it comes again, also after a restart or a crash. What a
   * consumer has noted with it, it can recognize. 0 at QoS 0.
   */
  readonly number: number
  /** Client Identifier of the publisher; empty for the broker itself. */
  readonly publisher: string
  /** Those the publisher gave, without the Message Expiry Interval. */
  readonly properties: LocalProperties | undefined
  /** The Subscription Identifiers of the subscriptions it came through. */
  readonly identifiers: readonly number[]
  /** When it is no longer worth anything, in epoch ms; infinite: never. */
  readonly expiresAt: number
  /** The payload as text. Bytes that are not UTF-8 become U+FFFD. */
  text(): string
  /**
   * The payload read as JSON. The type is the caller's word: nothing checks it.
   * @throws SyntaxError when it is none.
   */
  json<T = unknown>(): T
  /**
   * Acknowledges now. Needed with `ack: 'manual'`; otherwise the next pull, or the end of the listener, does it. In any order;
   * repeating it is harmless. At QoS 0 it does nothing.
   *
   * The promise resolves when the acknowledgement is as safe as the store makes it: from then on the message never comes again.
   * Rejects with BrokerError `session-closed` when the session was closed before; the message then comes again. A rejection that
   * nobody looks at does no harm.
   */
  ack(): Promise<void>
}

/** What the inbox holds of a message until it is given, and again when it is given back. */
export interface Waiting {
  readonly entry: QueuedMessage
  readonly dup: boolean
  /** 0 at QoS 0. */
  readonly number: number
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export class GivenMessage implements InsideMessage {
  readonly from: Waiting
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly number: number
  readonly publisher: string
  readonly properties: LocalProperties | undefined
  readonly identifiers: readonly number[]
  readonly expiresAt: number
  readonly #ack: (message: GivenMessage) => Promise<void>

  constructor(from: Waiting, givesMarks: boolean, ack: (message: GivenMessage) => Promise<void>) {
    const { message, qos, retain, identifiers = [] } = from.entry
    this.from = from
    this.topic = message.topic
    this.payload = bufferOver(message.payload)
    this.qos = qos
    this.retain = retain
    this.dup = from.dup
    this.number = from.number
    this.publisher = message.publisher
    this.properties = givesMarks ? withMark(message.properties, message.mark) : message.properties
    this.identifiers = identifiers
    this.expiresAt = message.expiresAt
    this.#ack = ack
  }

  get text(): () => string {
    return () => utf8.decode(this.payload)
  }

  get json(): <T = unknown>() => T {
    return <T>() => jsonOf(this) as T
  }

  get ack(): () => Promise<void> {
    return () => this.#ack(this)
  }
}

function jsonOf({ topic, text }: InsideMessage): unknown {
  try {
    return JSON.parse(text().replace(/^\ufeff/, ''))
  } catch (error) {
    throw new SyntaxError(`the message on '${topic}' is not JSON: ${(error as Error).message}`, { cause: error })
  }
}
