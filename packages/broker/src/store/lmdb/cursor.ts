import type { OutgoingState } from '../store.js'
import { readU32, readU48, writeU48 } from './keys.js'
import { isWhole, sealed } from './records.js'

/** Where a session's deliveries stand, and what it holds, as a record. */
export interface Cursor extends OutgoingState {
  /** Messages and bytes in its queue. */
  readonly messages: number
  readonly bytes: number
}

const headBytes = 39

/**
 * The checksum; head, next, tail, bytes and messages; the window; a flag; and the handshakes from head to next. Runs of
 * equal states are written as (state, length): most windows are one run.
 */
export function writeCursor(key: Buffer, cursor: Cursor): Uint8Array {
  return sealed('cursors', key, (w) => {
    const { head, next, tail, bytes, messages, handshakes, maxInflight, mayHaveSentMore } = cursor
    writeU48(w.bytes, head, 4)
    writeU48(w.bytes, next, 10)
    writeU48(w.bytes, tail, 16)
    writeU48(w.bytes, bytes, 22)
    writeU48(w.bytes, messages, 28)
    w.position = 34
    w.u32(maxInflight)
    w.u8(mayHaveSentMore ? 1 : 0)
    for (let at = 0; at < handshakes.length; ) {
      const state = handshakes[at]!
      let end = at + 1
      while (end < handshakes.length && handshakes[end] === state) end++
      w.u8(state)
      w.u32(end - at)
      at = end
    }
  })
}

/** `undefined`: it is damaged. */
export function readCursor(key: Buffer, record: Buffer): Cursor | undefined {
  if (!isWhole('cursors', key, record)) return undefined
  const head = readU48(record, 4)
  const next = readU48(record, 10)
  const handshakes = new Uint8Array(next - head)
  let filled = 0
  for (let at = headBytes; at < record.length; at += 5) {
    const end = filled + readU32(record, at + 1)
    handshakes.fill(record[at]!, filled, end)
    filled = end
  }
  return {
    head,
    next,
    tail: readU48(record, 16),
    bytes: readU48(record, 22),
    messages: readU48(record, 28),
    handshakes,
    maxInflight: readU32(record, 34),
    mayHaveSentMore: record[38] === 1,
  }
}
