import type { PropertiesOf, QoS } from '@godwit/protocol'

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

  get payloadBytes(): number {
    return this.end - this.start
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  /** Gives the message its own copy of the payload, once, however many hold it: the chunk it came in is reused. */
  keep(): this {
    if (!this.#kept) {
      this.bytes = this.bytes.slice(this.start, this.end)
      this.start = 0
      this.end = this.bytes.length
      this.#kept = true
    }
    return this
  }
}
