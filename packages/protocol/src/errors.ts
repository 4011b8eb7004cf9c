import { reason } from './reason-codes.js'

/** What is wrong with a packet, as a stable name. Each has the MQTT reason code it is told with. */
export type ProtocolErrorCode =
  /** Bytes that cannot be read as the packet they claim to be. */
  | 'malformed-packet'
  /** Readable, but not allowed by the standard. */
  | 'protocol-error'
  /** Larger than the receiver takes. */
  | 'packet-too-large'
  /** CONNECT with a Protocol Level that is not spoken. */
  | 'unsupported-protocol-version'
  /** CONNECT with a Protocol Name that is not MQTT's. */
  | 'unsupported-protocol-name'
  /** A Topic Name that is empty, too long, or has wildcards. */
  | 'topic-name-invalid'
  /** A Topic Filter that is empty, too long, or has wildcards where none may be. */
  | 'topic-filter-invalid'
  /** A Topic Alias of 0, which none is. */
  | 'topic-alias-invalid'

const reasonOf: Readonly<Record<ProtocolErrorCode, number>> = {
  'malformed-packet': reason.malformedPacket,
  'protocol-error': reason.protocolError,
  'packet-too-large': reason.packetTooLarge,
  'unsupported-protocol-version': reason.unsupportedProtocolVersion,
  'unsupported-protocol-name': reason.unsupportedProtocolVersion,
  'topic-name-invalid': reason.topicNameInvalid,
  'topic-filter-invalid': reason.topicFilterInvalid,
  'topic-alias-invalid': reason.topicAliasInvalid,
}

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
