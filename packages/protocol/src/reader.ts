import { decodeUtf8 } from './bytes.js'
import { ProtocolError } from './errors.js'
import { checkText, flawOfText } from './text.js'
import { isTopicName } from './topic.js'
import { findTopic, rememberTopic } from './topic-cache.js'
import { tuned } from './tuned.js'

const nothing = new Uint8Array(0)

/** A cursor over the body of one packet; reading past its end throws, and never sees the packet behind it. */
export class Reader {
  bytes: Uint8Array = nothing
  position = 0
  end = 0
  /** Whether `bytes` hold this packet alone and stay as they are. */
  owned = false
  readonly allowControlCharacters: boolean

  constructor(allowControlCharacters: boolean) {
    this.allowControlCharacters = allowControlCharacters
  }

  /** Sets the bounds to one packet's body. */
  over(bytes: Uint8Array, start: number, end: number, owned = false): this {
    this.bytes = bytes
    this.position = start
    this.end = end
    this.owned = owned
    return this
  }

  get left(): number {
    return this.end - this.position
  }

  u8(): number {
    if (this.position >= this.end) throw short()
    return this.bytes[this.position++]!
  }

  u16(): number {
    const at = this.position
    if (at + 2 > this.end) throw short()
    this.position = at + 2
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16()
  }

  /** A packet identifier: never 0 [MQTT-2.3.1-1]. */
  packetId(): number {
    const id = this.u16()
    if (id === 0) throw new ProtocolError('malformed-packet', 'packet identifier 0')
    return id
  }

  /** A Variable Byte Integer in its shortest form [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw new ProtocolError('malformed-packet', 'a padded variable byte integer')
        return value
      }
    }
    throw new ProtocolError('malformed-packet', 'a variable byte integer of more than 4 bytes')
  }

  utf8(): string {
    const start = this.#skipField()
    return checkText(this.#decode(start), this.allowControlCharacters)
  }

  /** A Topic Name, which may be empty here; the packets say where it must not be. */
  topicName(): string {
    const start = this.#skipField()
    const known = tuned ? findTopic(this.bytes, start, this.position) : undefined
    if (known !== undefined) return known
    const topic = this.#decode(start)
    checkText(topic, this.allowControlCharacters)
    if (topic === '') return topic
    if (!isTopicName(topic)) throw new ProtocolError('topic-name-invalid', 'a wildcard in a topic name') // [MQTT-3.3.2-2]
    if (tuned && flawOfText(topic, false) === undefined) rememberTopic(this.bytes, start, this.position, topic)
    return topic
  }

  /** Binary Data: a view. */
  binary(): Uint8Array {
    const start = this.#skipField()
    return this.bytes.subarray(start, this.position)
  }

  /** A reader's bounds are narrowed to the next `length` bytes while `read` runs; all of them must be used. */
  within<T>(length: number, read: () => T): T {
    const outer = this.end
    if (this.position + length > outer) throw short()
    this.end = this.position + length
    const value = read()
    if (this.position !== this.end) throw new ProtocolError('malformed-packet', 'bytes left over')
    this.end = outer
    return value
  }

  /** Moves behind a field with a two-byte length in front; answers where its bytes begin. */
  #skipField(): number {
    const length = this.u16()
    const start = this.position
    if (start + length > this.end) throw short()
    this.position = start + length
    return start
  }

  #decode(start: number): string {
    const text = decodeUtf8(this.bytes, start, this.position)
    if (text === undefined) throw new ProtocolError('malformed-packet', 'a string that is not well-formed UTF-8')
    return text
  }
}

function short(): ProtocolError {
  return new ProtocolError('malformed-packet', 'the packet ends too early')
}
