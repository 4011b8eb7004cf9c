import type { PropertiesOf, QoS, Will } from '@godwit/protocol'
import { type Mark, markOf, withMark } from './bridging.js'
import { type Commit, later, noCommit } from './commit.js'

/** What a message is made from; a PUBLISH as decoded fits. */
interface MessageSource {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  readonly properties?: PropertiesOf<'publish'> | undefined
  readonly bytes: Uint8Array
  /** Where in them the topic begins, as a PUBLISH has it, with the packet id and the properties. Default: nowhere. */
  readonly topicStart?: number
  readonly payloadStart: number
  readonly payloadEnd: number
  /** Whether `bytes` will stay as they are. Default false. */
  readonly owned?: boolean
}

/**
 * An application message on its way through the broker.
 *
 * Its payload is `bytes[start, end)`, at first inside the chunk it arrived in: no view is made for a message that is
 * passed on within the turn. Whoever holds a message longer calls {@link keep} first.
 */
export class Message {
  readonly topic: string
  readonly qos: QoS
  /** The RETAIN flag as published. */
  readonly retain: boolean
  /** The properties that reach subscribers unchanged; what belongs to one connection is not among them. */
  properties: PropertiesOf<'publish'> | undefined
  /** What tells it from all others, where bridges may bring it more than one way; none but bridges are given it. */
  mark: Mark | undefined
  /** When it is no longer worth delivering, in epoch ms; infinite: never. */
  expiresAt: number
  /** Of one to be retained, when it was published, in epoch seconds; 0: not known. */
  publishedAt: number
  /** Client Identifier of the publisher; empty for the broker's own messages. */
  readonly publisher: string
  bytes: Uint8Array
  /** Where in its bytes the topic begins, as it came, with the packet id and the properties up to the payload; -1: nowhere. */
  topicStart: number
  start: number
  end: number
  #kept: boolean
  #commit: Commit = noCommit
  #subscribers = 0
  #heldBytes = 0
  /** Queues in memory, and the retained messages, that hold it. */
  #holders = 0

  /**
   * @param now epoch ms; from here the Message Expiry Interval counts. 0: no matter, or not known.
   * @param topic where the source names it by an alias only.
   */
  constructor(source: MessageSource, publisher: string, now = 0, topic: string = source.topic) {
    this.topic = topic
    this.qos = source.qos
    this.retain = source.retain
    const { properties } = source
    this.properties = properties && forwardedOf(properties)
    this.mark = undefined
    this.expiresAt = expiryOf(properties, now)
    this.publishedAt = source.retain ? Math.floor(now / 1_000) : 0
    this.publisher = publisher
    this.bytes = source.bytes
    this.topicStart = source.topicStart ?? -1
    this.start = source.payloadStart
    this.end = source.payloadEnd
    this.#kept = source.owned === true
  }

  /** A message made inside the broker. The payload must not be changed afterwards. */
  static of(topic: string, payload: Uint8Array, qos: QoS = 0, retain = false, publisher = ''): Message {
    return Message.kept(
      { topic, qos, retain, bytes: payload, payloadStart: 0, payloadEnd: payload.length },
      publisher,
      0,
    )
  }

  /** The message a will becomes when it is published. */
  static ofWill({ topic, payload, qos, retain, properties }: Will, clientId: string, now: number): Message {
    const { willDelayInterval: _, ...rest } = properties ?? {}
    const source = { topic, qos, retain, properties: rest, bytes: payload, payloadStart: 0, payloadEnd: payload.length }
    return Message.kept(source, clientId, now)
  }

  /** A message whose bytes nobody will change. */
  static kept(source: MessageSource, publisher: string, now: number): Message {
    const message = new Message(source, publisher, now)
    message.#kept = true
    return message
  }

  /** A bridge has brought it: the mark among its properties is not the publisher's. */
  takeMark(): void {
    this.mark = markOf(this.properties)
    if (this.mark) this.properties = withMark(this.properties, undefined)
  }

  /** The commit before which nothing made of this message at QoS 0 or 2 may leave. See {@link Delivery}. */
  get commit(): Commit {
    return this.#commit
  }

  /** Nothing made of it at QoS 0 or 2 leaves before this commit. */
  waitFor(commit: Commit): void {
    this.#commit = later(this.#commit, commit)
  }

  /** More than one subscriber gets it. */
  get isForMany(): boolean {
    return this.#subscribers > 1
  }

  /** So many subscribers get it. */
  goesTo(subscribers: number): void {
    this.#subscribers = subscribers
  }

  /** Its bytes stay as they are. */
  get isKept(): boolean {
    return this.#kept
  }

  get payloadBytes(): number {
    return this.end - this.start
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  /** What it is charged for where it is kept: topic, properties, payload, and what the entry takes. */
  get heldBytes(): number {
    if (this.#heldBytes === 0) {
      this.#heldBytes = this.topic.length + this.payloadBytes + entryBytes
      if (this.properties) this.#heldBytes += bytesOf(this.properties)
      if (this.mark) this.#heldBytes += markBytes
    }
    return this.#heldBytes
  }

  /** One more holds it in memory. Answers what that takes: the message, or an entry more. */
  charge(): number {
    return this.#holders++ === 0 ? this.heldBytes : entryBytes
  }

  /** One of those lets it go. Answers what that frees. */
  letGo(): number {
    return --this.#holders === 0 ? this.heldBytes : entryBytes
  }

  /** What lay in its bytes from `start` on lies at the beginning of these now, which are not its own either. */
  liesIn(bytes: Uint8Array, start: number): void {
    this.bytes = bytes
    this.topicStart -= start
    this.start -= start
    this.end -= start
  }

  /** Gives the message its own copy of the payload, once, however many hold it: the chunk it came in is reused. */
  keep(): this {
    if (!this.#kept) {
      this.bytes = new Uint8Array(this.payload) // not slice(): a Buffer's is a view
      this.topicStart = -1
      this.start = 0
      this.end = this.bytes.length
      this.#kept = true
    }
    return this
  }
}

/** What an entry in a queue takes beside the message, in memory or on disk, roughly. */
const entryBytes = 100

/** What a mark takes. */
const markBytes = 64

/** What properties take: their texts, and something for each. */
function bytesOf(properties: PropertiesOf<'publish'>): number {
  let bytes = 0
  for (const value of Object.values(properties)) {
    bytes += 16
    if (typeof value === 'string' || value instanceof Uint8Array) bytes += value.length
    else if (Array.isArray(value))
      for (const pair of value) bytes += 32 + String(pair[0]).length + String(pair[1]).length
  }
  return bytes
}

/** Without what the broker works out anew for each delivery. */
function forwardedOf(properties: PropertiesOf<'publish'>): PropertiesOf<'publish'> | undefined {
  const { topicAlias: _a, messageExpiryInterval: _b, subscriptionIdentifiers: _c, ...forwarded } = properties
  for (const _ in forwarded) return forwarded
  return undefined
}

function expiryOf(properties: PropertiesOf<'publish'> | undefined, now: number): number {
  const seconds = properties?.messageExpiryInterval
  return seconds === undefined ? Number.POSITIVE_INFINITY : now + seconds * 1000
}
