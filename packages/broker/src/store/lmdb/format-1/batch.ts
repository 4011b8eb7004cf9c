import type { QoS } from '@godwit/protocol'
import type { Message } from '../../../message.js'
import type { QueuedMessage } from '../../queue.js'
import { readMessage } from './message-record.js'

const messageEntry = 1
const targetEntry = 2

/** Reads what a batch of format 1 has for each session, in the order of the numbers. */
export function readBatch(bytes: Uint8Array): ReadonlyMap<number, readonly QueuedMessage[]> {
  const found = new Map<number, QueuedMessage[]>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let message: Message | undefined
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at]
    if (kind === messageEntry) {
      ;[message, at] = readMessage(bytes, at + 1)
      continue
    }
    if (kind !== targetEntry) throw new Error(`entry kind ${kind} at byte ${at}`)
    const flags = view.getUint8(at + 1)
    const session = view.getUint32(at + 2)
    at += 6
    let identifiers: number[] | undefined
    if (flags & 8) {
      const from = at + 2
      identifiers = Array.from({ length: view.getUint16(at) }, (_, index) => view.getUint32(from + index * 4))
      at = from + identifiers.length * 4
    }
    const entry = {
      message: message!,
      qos: ((flags >> 1) & 3) as QoS,
      retain: (flags & 1) !== 0,
      identifiers,
      shared: (flags & 16) !== 0,
    }
    const entries = found.get(session)
    if (entries) entries.push(entry)
    else found.set(session, [entry])
  }
  return found
}
