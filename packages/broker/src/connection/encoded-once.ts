import { encodePublishHead, type ProtocolVersion, type QoS, Writer } from '@godwit/protocol'
import type { Message } from '../message.js'

/** A PUBLISH that differs from one receiver to the next by its packet id alone. */
export interface EncodedPublish {
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
