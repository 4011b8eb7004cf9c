import { Decoder, encodePublishHead, type ReceivedPublish, type Writer } from '@godwit/protocol'
import type { Mark } from '../../bridging.js'
import { Message } from '../../message.js'
import { readU32, readU48, writeU48 } from './keys.js'

const expires = 1
const hasPublisher = 2
const hasTime = 4
const hasMark = 8

/**
 * A message as a record: flags; when it expires (6 bytes, ms) if it does; when it was published (4 bytes, seconds) if that is
 * known; its publisher if it has one; its mark (the marker, and a number of 6 bytes) if it has one; and a PUBLISH of MQTT 5.0, so that whatever a message can carry has one form. The record
 * ends where the payload does.
 */
export function writeMessage(w: Writer, message: Message): void {
  const isMortal = message.expiresAt !== Number.POSITIVE_INFINITY
  const { publishedAt, mark } = message
  const parts =
    (isMortal ? expires : 0) | (message.publisher === '' ? 0 : hasPublisher) | (publishedAt === 0 ? 0 : hasTime)
  w.u8(parts | (mark ? hasMark : 0))
  if (isMortal) {
    w.ensure(6)
    writeU48(w.bytes, message.expiresAt, w.position)
    w.position += 6
  }
  if (publishedAt !== 0) w.u32(publishedAt)
  if (message.publisher !== '') w.utf8(message.publisher)
  if (mark) {
    w.utf8(mark.marker)
    w.ensure(6)
    writeU48(w.bytes, mark.number, w.position)
    w.position += 6
  }
  const packetId = message.qos === 0 ? 0 : 1
  encodePublishHead(
    w,
    message.topic,
    message.qos,
    message.retain,
    false,
    packetId,
    message.properties,
    message.payloadBytes,
    5,
  )
  w.copy(message.bytes, message.start, message.end)
}

/**
 * Reads the message in `bytes[start, end)`, which must not change any more.
 * @throws when it is none.
 */
export function readMessage(bytes: Uint8Array, start: number, end: number): Message {
  const flags = bytes[start]!
  let at = start + 1
  const expiresAt = flags & expires ? readU48(bytes, at) : Number.POSITIVE_INFINITY
  if (flags & expires) at += 6
  const publishedAt = flags & hasTime ? readU32(bytes, at) : 0
  if (flags & hasTime) at += 4
  let publisher = ''
  if (flags & hasPublisher) {
    const length = (bytes[at]! << 8) | bytes[at + 1]!
    publisher = textIn(bytes, at + 2, length)
    at += 2 + length
  }
  let mark: Mark | undefined
  if (flags & hasMark) {
    const length = (bytes[at]! << 8) | bytes[at + 1]!
    mark = { marker: textIn(bytes, at + 2, length), number: readU48(bytes, at + 2 + length) }
    at += 8 + length
  }
  const decoder = new Decoder({ version: 5, allowControlCharacters: true })
  decoder.push(bytes.subarray(at, end))
  const packet = decoder.next()
  if (packet?.type !== 'publish') throw new Error('no message where one should be')
  const message = Message.kept(packet as ReceivedPublish, publisher, 0)
  message.expiresAt = expiresAt
  message.publishedAt = publishedAt
  message.mark = mark
  return message
}

/** When the message in `bytes` at `start` expires: read without the rest of it. */
export function expiryIn(bytes: Uint8Array, start: number): number {
  return bytes[start]! & expires ? readU48(bytes, start + 1) : Number.POSITIVE_INFINITY
}

/** Text that was checked before it was stored. */
export function textIn(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString()
}
