import {
  type Connect,
  encodePublishHead,
  type PropertiesOf,
  type ProtocolVersion,
  publishByte,
  type QoS,
  Writer,
} from '@godwit/protocol'
import { withMark } from '../bridging.js'
import type { Message } from '../message.js'
import type { QueuedMessage } from '../store/queue.js'
import type { BrokerTime } from '../time/broker-time.js'
import type { AheadCopy } from './ahead-copy.js'
import { OutgoingAliases } from './topic-aliases.js'

/** No Maximum Packet Size was given. */
export const unlimited: number = Number.POSITIVE_INFINITY
/** Aliases given to topics towards one client: those it gets first. */
const mostAliases = 10
/** Bytes that an alias may add: its property, and one more in Property Length and in Remaining Length. */
const mostBytesOfAlias = 5
/** A payload of this size and more, for several receivers, is handed to their sockets as it is, not copied for each. */
const viewFrom = 4096
/** Up to here a payload inside a chunk is copied for its one receiver: it has to be copied in any case. */
const copyUpTo = 65_536

/** What a client's CONNECT says that it takes. */
export interface ClientTerms {
  readonly version: ProtocolVersion
  /** Bytes. */
  readonly maximumPacketSize: number
  readonly topicAliasMaximum: number
}

export const defaultTerms: ClientTerms = { version: 4, maximumPacketSize: unlimited, topicAliasMaximum: 0 }
/** Most clients say nothing of their own: they share these. */
const plainTerms: Readonly<Record<ProtocolVersion, ClientTerms>> = {
  3: { ...defaultTerms, version: 3 },
  4: defaultTerms,
  5: { ...defaultTerms, version: 5 },
}

/** What its CONNECT says of a client. */
export function termsOf({ version, properties }: Connect): ClientTerms {
  const { maximumPacketSize = unlimited, topicAliasMaximum = 0 } = properties ?? {}
  if (maximumPacketSize === unlimited && topicAliasMaximum === 0) return plainTerms[version]
  return { version, maximumPacketSize, topicAliasMaximum }
}

/** What the encoders of all connections share. */
export interface EncoderParts {
  readonly encodedOnce: EncodedOnce
  readonly copies: AheadCopy
  readonly time: Pick<BrokerTime, 'now'>
}

/** Makes the PUBLISH packets for one client, on its terms. */
export class PublishEncoder {
  readonly #parts: EncoderParts
  readonly #terms: ClientTerms
  readonly #givesMarks: boolean
  readonly #aliases: OutgoingAliases | undefined

  /** @param givesMarks the client is a bridge: it is given the marks of messages. Default false. */
  constructor(parts: EncoderParts, terms: ClientTerms, givesMarks = false) {
    this.#parts = parts
    this.#terms = terms
    this.#givesMarks = givesMarks
    const aliases = Math.min(terms.topicAliasMaximum, mostAliases)
    this.#aliases = aliases > 0 ? new OutgoingAliases(aliases) : undefined
  }

  /** Whether the client takes packets as large as this one will be [MQTT-3.1.2-24]. */
  accepts(entry: QueuedMessage): boolean {
    const { maximumPacketSize } = this.#terms
    return maximumPacketSize === unlimited || this.#sizeOf(entry) <= maximumPacketSize
  }

  /**
   * Writes the packet, and answers the payload if that is better sent from where it is. Whatever fails, no half packet is
   * left, nor an alias that the client has not been told of.
   */
  write(writer: Writer, entry: QueuedMessage, dup: boolean, packetId: number): Uint8Array | undefined {
    const before = writer.position
    const aliases = this.#aliases?.count
    try {
      return this.#write(writer, entry, dup, packetId)
    } catch (error) {
      writer.position = before
      this.#parts.copies.forget()
      if (this.#aliases && this.#aliases.count !== aliases) this.#aliases.forget(entry.message.topic)
      throw error
    }
  }

  #write(writer: Writer, entry: QueuedMessage, dup: boolean, packetId: number): Uint8Array | undefined {
    const { message } = entry
    const { payloadBytes } = message
    if (message.isForMany && payloadBytes < viewFrom && this.#isPlain(entry)) {
      this.#copyEncoded(writer, entry, dup, packetId)
      return undefined
    }
    const isView = payloadBytes >= viewFrom && !isCheaperCopied(message)
    if (!isView && this.#isAsReceived(entry)) {
      this.#copyReceived(writer, entry, dup, packetId)
      return undefined
    }
    this.#head(writer, entry, dup, packetId)
    if (isView) return message.keep().payload
    writer.copy(message.bytes, message.start, message.end)
    return undefined
  }

  /** Whether nothing in the packet but its id is this client's own. */
  #isPlain({ message, identifiers }: QueuedMessage): boolean {
    if (this.#terms.version < 5) return true
    if (this.#givesMarks && message.mark) return false
    return !this.#aliases && !identifiers && !message.properties && message.expiresAt === Number.POSITIVE_INFINITY
  }

  /** Whether all that came in front of the payload is what goes out, but for the packet id: its length tells. */
  #isAsReceived(entry: QueuedMessage): boolean {
    const { bytes, topicStart, start } = entry.message
    if (topicStart < 0 || !this.#isPlain(entry)) return false
    const topicBytes = (bytes[topicStart]! << 8) | bytes[topicStart + 1]!
    return topicStart + 2 + topicBytes + this.#bytesBehindTopic(entry.qos) === start
  }

  /** The packet id, and an empty property list. */
  #bytesBehindTopic(qos: QoS): number {
    return (qos > 0 ? 2 : 0) + (this.#terms.version === 5 ? 1 : 0)
  }

  #copyReceived(writer: Writer, { message, qos, retain }: QueuedMessage, dup: boolean, packetId: number): void {
    const { bytes, topicStart, start, end } = message
    const packetStart = writer.position
    writer.u8(publishByte(qos, retain, dup))
    writer.varint(end - topicStart)
    const packetIdAt = writer.position + start - topicStart - this.#bytesBehindTopic(qos)
    this.#parts.copies.copy(writer, packetStart, bytes, topicStart, end)
    if (qos === 0) return
    writer.bytes[packetIdAt] = packetId >>> 8
    writer.bytes[packetIdAt + 1] = packetId
  }

  #copyEncoded(writer: Writer, { message, qos, retain }: QueuedMessage, dup: boolean, packetId: number): void {
    const { bytes, packetIdAt } = this.#parts.encodedOnce.of(message, qos, retain, this.#terms.version)
    const start = writer.position
    writer.copy(bytes, 0, bytes.length)
    if (dup) writer.bytes[start]! |= 8
    if (packetIdAt === 0) return
    writer.bytes[start + packetIdAt] = packetId >>> 8
    writer.bytes[start + packetIdAt + 1] = packetId
  }

  /** Fixed header to properties. At 5.0 a topic the client knows by an alias goes without its name. */
  #head(writer: Writer, entry: QueuedMessage, dup: boolean, packetId: number): void {
    const { message, qos, retain } = entry
    const { topic, payloadBytes } = message
    const { version } = this.#terms
    if (version < 5) {
      encodePublishHead(writer, topic, qos, retain, dup, packetId, undefined, payloadBytes, version)
      return
    }
    const alias = this.#aliasFor(entry)
    const properties = this.#propertiesOf(entry, alias?.number)
    encodePublishHead(writer, alias?.isKnown ? '' : topic, qos, retain, dup, packetId, properties, payloadBytes, 5)
  }

  /** An alias is left out where its bytes would make the packet larger than the client takes. */
  #aliasFor(entry: QueuedMessage): ReturnType<OutgoingAliases['of']> {
    if (!this.#aliases) return undefined
    const { maximumPacketSize } = this.#terms
    const fits = maximumPacketSize === unlimited || this.#sizeOf(entry) + mostBytesOfAlias <= maximumPacketSize
    return fits ? this.#aliases.of(entry.message.topic) : undefined
  }

  /** The size of the packet without an alias: with its topic's name, and a packet id. */
  #sizeOf(entry: QueuedMessage): number {
    const { message, qos, retain } = entry
    const { topic, payloadBytes } = message
    const { version } = this.#terms
    const properties = version < 5 ? undefined : this.#propertiesOf(entry, undefined)
    const writer = new Writer(topic.length + 64)
    encodePublishHead(writer, topic, qos, retain, false, qos === 0 ? 0 : 1, properties, payloadBytes, version)
    return writer.position + payloadBytes
  }

  #propertiesOf(
    { message, identifiers }: QueuedMessage,
    alias: number | undefined,
  ): PropertiesOf<'publish'> | undefined {
    const properties = deliveredProperties(message, identifiers, alias, this.#parts.time.now())
    return this.#givesMarks ? withMark(properties, message.mark) : properties
  }
}

/**
 * The payload lies in a chunk that is read into again, and has one receiver: copied into the output buffer it needs no memory of its own.
 */
function isCheaperCopied({ isForMany, isKept, payloadBytes }: Message): boolean {
  return !isForMany && !isKept && payloadBytes <= copyUpTo
}

/** The properties of a PUBLISH to one client at 5.0: the publisher's, with subscription identifiers and the expiry that is left. */
function deliveredProperties(
  message: Message,
  subscriptionIdentifiers: readonly number[] | undefined,
  topicAlias: number | undefined,
  now: number,
): PropertiesOf<'publish'> | undefined {
  const { properties, expiresAt } = message
  const isMortal = expiresAt !== Number.POSITIVE_INFINITY
  if (!isMortal && !subscriptionIdentifiers && topicAlias === undefined) return properties
  return {
    ...properties,
    // Less by the time it has waited here [MQTT-3.3.2-6].
    ...(isMortal && { messageExpiryInterval: Math.max(0, Math.ceil((expiresAt - now) / 1000)) }),
    ...(subscriptionIdentifiers && { subscriptionIdentifiers }),
    ...(topicAlias !== undefined && { topicAlias }),
  }
}

/** A PUBLISH that differs from one receiver to the next by its packet id alone. */
interface EncodedPublish {
  readonly bytes: Uint8Array
  /** Where its packet id is; 0 at QoS 0. */
  readonly packetIdAt: number
}

/**
 * The message that is being handed to many: encoded once for each kind of receiver, however many there are of it. It
 * remembers one message, since all receivers of one get it before the next is looked at.
 */
export class EncodedOnce {
  readonly #writer = new Writer()
  #message: Message | undefined
  #packets: (EncodedPublish | undefined)[] = []

  /** For a delivery without properties of its own. */
  of(message: Message, qos: QoS, retain: boolean, version: ProtocolVersion): EncodedPublish {
    if (this.#message !== message) {
      this.#message = message
      this.#packets = []
    }
    const kind = (version === 5 ? 8 : 0) + qos * 2 + (retain ? 1 : 0)
    const packet = this.#packets[kind] ?? this.#encode(message, qos, retain, version)
    this.#packets[kind] = packet
    return packet
  }

  #encode(message: Message, qos: QoS, retain: boolean, version: ProtocolVersion): EncodedPublish {
    const writer = this.#writer
    writer.reset()
    encodePublishHead(writer, message.topic, qos, retain, false, 0, undefined, message.payloadBytes, version)
    const packetIdAt = qos === 0 ? 0 : writer.position - (version === 5 ? 3 : 2) // an empty property list is one byte
    writer.copy(message.bytes, message.start, message.end)
    return { bytes: writer.written().slice(), packetIdAt }
  }
}
