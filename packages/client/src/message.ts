import { type PropertiesOf, type Publish, type QoS, ReceivedPublish, type TopicParams } from '@godwit/protocol'

/** The named wildcards of one filter, or of whichever of several filters matched. */
export type ParamsOf<F extends string> = F extends string ? TopicParams<F> : never

/** A message as a subscription gives it. It owns its payload. */
export interface Message<F extends string = string> {
  readonly topic: string
  readonly payload: Uint8Array
  /** The QoS of this delivery: the lower of the publication's and the granted one. */
  readonly qos: QoS
  /** True for a retained message sent because of a new subscription (section 3.3.1.3). */
  readonly retain: boolean
  /** True when the server may have sent it before. Not a proof of a duplicate (section 3.3.1.1). */
  readonly dup: boolean
  /** Of the PUBLISH that carried it; undefined at QoS 0. */
  readonly packetId: number | undefined
  /** MQTT 5.0 only. */
  readonly properties: PropertiesOf<'publish'> | undefined
  /** What the named wildcards of the filter stand for: `home/+room/temperature` gives `{ room }`. */
  readonly params: ParamsOf<F>
  /** The payload as text. Bytes that are not UTF-8 become U+FFFD. */
  text(): string
  /**
   * The payload read as JSON, as `Response.json()` of fetch does. The type is the caller's word: nothing checks it.
   * @throws SyntaxError when it is none.
   */
  json<T = unknown>(): T
  /**
   * Acknowledges now. Needed with `ack: 'manual'`; otherwise the next pull, or the end of the handler, does it.
   * Repeating it is harmless, and so is calling it after the connection has gone: the server then sends the message
   * again. Acknowledgements leave in the order of arrival [MQTT-4.6.0-2], so one waits for those before it.
   */
  ack(): void
}

/** The one decoder of all messages: `fatal` off, U+FEFF kept. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

export class ReceivedMessage<F extends string> implements Message<F> {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly packetId: number | undefined
  readonly properties: PropertiesOf<'publish'> | undefined
  readonly #paramsOf: (topic: string) => ParamsOf<F>
  readonly #settle: ((how: 'done' | 'abandoned') => void) | undefined
  #state: 'open' | 'abandoned' | 'done' = 'open'

  /** `payload` is owned by the message; `settle` is told how its consumer ended: 'done' once, before it perhaps 'abandoned'. */
  constructor(
    packet: Publish,
    payload: Uint8Array,
    paramsOf: (topic: string) => ParamsOf<F>,
    settle: ((how: 'done' | 'abandoned') => void) | undefined,
  ) {
    this.topic = packet.topic
    this.payload = payload
    this.qos = packet.qos
    this.retain = packet.retain
    this.dup = packet.dup
    this.packetId = packet.packetId
    this.properties = packet.properties
    this.#paramsOf = paramsOf
    this.#settle = settle
  }

  get params(): ParamsOf<F> {
    return this.#paramsOf(this.topic)
  }

  text(): string {
    return utf8.decode(this.payload)
  }

  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text().replace(/^\ufeff/, '')) as T
    } catch (error) {
      throw new SyntaxError(`the message on '${this.topic}' is not JSON: ${(error as Error).message}`, { cause: error })
    }
  }

  ack(): void {
    if (this.#state === 'done') return
    this.#state = 'done'
    this.#settle?.('done')
  }

  /** The consumer left without finishing; it may still do so. */
  abandon(): void {
    if (this.#state !== 'open') return
    this.#state = 'abandoned'
    this.#settle?.('abandoned')
  }
}

/** A received payload is a view into a buffer of the decoder; a message outlives that. */
export function copyPayload(packet: Publish): Uint8Array {
  const { bytes, payloadStart, payloadEnd } =
    packet instanceof ReceivedPublish
      ? packet
      : { bytes: packet.payload, payloadStart: 0, payloadEnd: packet.payload.length }
  const copy = new Uint8Array(payloadEnd - payloadStart)
  copy.set(bytes.subarray(payloadStart, payloadEnd))
  return copy
}
