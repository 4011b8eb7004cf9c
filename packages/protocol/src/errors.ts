import { reason } from './reason-codes.js'

/** What is wrong with a packet, as a stable name. Each has the MQTT reason code it is told with. */
const reasonOf = {
  /** Bytes that cannot be read as the packet they claim to be. */
  'malformed-packet': reason.malformedPacket,
  /** Readable, but not allowed by the standard. */
  'protocol-error': reason.protocolError,
  /** Larger than the receiver takes. */
  'packet-too-large': reason.packetTooLarge,
  /** CONNECT with a Protocol Level that is not spoken. */
  'unsupported-protocol-version': reason.unsupportedProtocolVersion,
  /** CONNECT with a Protocol Name that is not MQTT's. */
  'unsupported-protocol-name': reason.unsupportedProtocolVersion,
  /** A Topic Name that is empty, too long, or has wildcards. */
  'topic-name-invalid': reason.topicNameInvalid,
  /** A Topic Filter that is empty, too long, or has wildcards where none may be. */
  'topic-filter-invalid': reason.topicFilterInvalid,
  /** A Topic Alias of 0, which none is. */
  'topic-alias-invalid': reason.topicAliasInvalid,
} as const

export type ProtocolErrorCode = keyof typeof reasonOf

/** Bytes or a packet against the rules of MQTT: thrown by the decoder and, before any byte is written, by the encoder. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode
  /** The MQTT 5 reason code that tells the other side (section 2.4). */
  readonly reasonCode: number
  /** For `unsupported-protocol-version`: the level the other side asked for, under the name MQTT. */
  declare readonly level?: number

  constructor(code: ProtocolErrorCode, message: string, level?: number) {
    super(message)
    this.code = code
    this.reasonCode = reasonOf[code]
    if (level !== undefined) this.level = level
  }
}
