import { Decoder, type ReceivedPublish } from '@godwit/protocol'
import { Message } from '../../../message.js'

const expires = 1

/**
 * Reads a message of format 1: whether it expires, when (8 bytes, if it does), its length, and a PUBLISH of MQTT 5.0. Answers it
 * and where the next record begins.
 */
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
