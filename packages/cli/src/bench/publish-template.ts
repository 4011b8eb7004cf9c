import { encodePublishHead, type QoS, Writer } from '@godwit/protocol'
import { writeStamp } from './stamp.js'

/** A PUBLISH encoded once; each message differs in packet id and stamp alone. */
export class PublishTemplate {
  readonly #bytes: Uint8Array
  readonly #stampAt: number
  readonly #packetIdAt: number
  readonly #publisher: number

  /** @param size bytes of the payload. */
  constructor(topic: string, { qos, size, version }: { qos: QoS; size: number; version: 4 | 5 }, publisher: number) {
    const writer = new Writer(size + 64)
    encodePublishHead(writer, topic, qos, false, false, 1, undefined, size, version)
    this.#stampAt = writer.position
    // The packet id is the last of the head at 3.1.1; at 5.0 the length of no properties follows it.
    this.#packetIdAt = qos === 0 ? -1 : writer.position - (version === 5 ? 3 : 2)
    writer.copy(new Uint8Array(size).fill(0x78), 0, size)
    this.#bytes = writer.written()
    this.#publisher = publisher
  }

  /** Bytes of a message on the wire. */
  get length(): number {
    return this.#bytes.length
  }

  /** Appends the message. @param time in microseconds. @param number of this publisher, from 0. */
  writeTo(writer: Writer, time: number, number: number): void {
    writer.ensure(this.#bytes.length)
    const { bytes, position } = writer
    bytes.set(this.#bytes, position)
    if (this.#packetIdAt >= 0) {
      const packetId = (number % 65_535) + 1
      bytes[position + this.#packetIdAt] = packetId >>> 8
      bytes[position + this.#packetIdAt + 1] = packetId
    }
    writeStamp(bytes, position + this.#stampAt, time, this.#publisher, number)
    writer.position = position + this.#bytes.length
  }
}
