import type { PropertiesOf, QoS, Will } from '@godwit/protocol'
import type { Commit } from './commit.js'

/** What a message is made from; a PUBLISH as decoded fits. */
export interface MessageSource {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  readonly properties?: PropertiesOf<'publish'> | undefined
  readonly bytes: Uint8Array
  readonly payloadStart: number
  readonly payloadEnd: number
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
  readonly properties: PropertiesOf<'publish'> | undefined
  /** Client Identifier of the publisher; empty for the broker's own messages. */
  readonly publisher: string
  /** The commit before which nothing made of this message at QoS 0 or 2 may leave; 0: none. See {@link Delivery}. */
  commit: Commit
  bytes: Uint8Array
  start: number
  end: number
  #kept: boolean

  constructor(source: MessageSource, publisher: string) {
    this.topic = source.topic
    this.qos = source.qos
    this.retain = source.retain
    this.properties = source.properties
    this.publisher = publisher
    this.commit = 0
    this.bytes = source.bytes
    this.start = source.payloadStart
    this.end = source.payloadEnd
    this.#kept = false
  }

  /** A message made inside the broker. The payload must not be changed afterwards. */
  static of(topic: string, payload: Uint8Array, qos: QoS = 0, retain = false, publisher = ''): Message {
    const message = new Message(
      { topic, qos, retain, bytes: payload, payloadStart: 0, payloadEnd: payload.length },
      publisher,
    )
    message.#kept = true
    return message
  }

  /** The message a will becomes. */
  static ofWill(will: Will, clientId: string): Message {
    return Message.of(will.topic, will.payload, will.qos, will.retain, clientId)
  }

  get payloadBytes(): number {
    return this.end - this.start
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  /** Gives the message its own copy of the payload, once, however many hold it: the chunk it came in is reused. */
  keep(): this {
    if (!this.#kept) {
      this.bytes = new Uint8Array(this.payload) // not slice(): a Buffer's is a view
      this.start = 0
      this.end = this.bytes.length
      this.#kept = true
    }
    return this
  }
}
