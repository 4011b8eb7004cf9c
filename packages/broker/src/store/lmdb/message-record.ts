import { Decoder, encodePublishHead, type ReceivedPublish, type Writer } from '@godwit/protocol'
import { Message } from '../../message.js'

const expires = 1

/**
 * A message as a record: a PUBLISH of MQTT 5.0, so that whatever a message can carry has one form, after when it
 * expires (8 bytes, if it does) and the packet's length.
 */
export function writeMessage(w: Writer, message: Message): void {
  const isMortal = message.expiresAt !== Number.POSITIVE_INFINITY
  w.u8(isMortal ? expires : 0)
  if (isMortal) {
    w.u32(Math.floor(message.expiresAt / 0x1_0000_0000))
    w.u32(message.expiresAt % 0x1_0000_0000)
  }
  const start = w.position
  w.u32(0)
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
  const end = w.position
  w.position = start
  w.u32(end - start - 4)
  w.position = end
}

/** Reads a message at `start`; answers it and where the next record begins. The bytes must not change any more. */
export function readMessage(bytes: Uint8Array, start: number): readonly [message: Message, end: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isMortal = (view.getUint8(start) & expires) !== 0
  const lengthAt = start + (isMortal ? 9 : 1)
  const end = lengthAt + 4 + view.getUint32(lengthAt)
  const decoder = new Decoder({ version: 5, allowControlCharacters: true })
  decoder.push(bytes.subarray(lengthAt + 4, end))
  const message = Message.kept(decoder.next() as ReceivedPublish, '', 0)
  if (isMortal) message.expiresAt = view.getUint32(start + 1) * 0x1_0000_0000 + view.getUint32(start + 5)
  return [message, end]
}
