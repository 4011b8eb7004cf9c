import { Writer } from '@godwit/protocol'
import type { OutgoingState } from '../store.js'

/** Where a session's deliveries stand, and the payload bytes it holds, as a record. */
export interface Cursor extends OutgoingState {
  readonly bytes: number
}

/** Runs of equal handshake states are written as (state, length): most windows are one run. */
export function writeCursor({ head, next, tail, bytes, handshakes, mayHaveSentMore }: Cursor): Buffer {
  const w = new Writer(64)
  for (const number of [head, next, tail, bytes]) u48(w, number)
  w.u8(mayHaveSentMore ? 1 : 0)
  for (let at = 0; at < handshakes.length; ) {
    const state = handshakes[at]!
    let end = at + 1
    while (end < handshakes.length && handshakes[end] === state) end++
    w.u8(state)
    w.u32(end - at)
    at = end
  }
  return Buffer.from(w.bytes.buffer, 0, w.position)
}

export function readCursor(record: Buffer): Cursor {
  const [head, next, tail, bytes] = [0, 6, 12, 18].map((at) => record.readUIntBE(at, 6)) as [
    number,
    number,
    number,
    number,
  ]
  const handshakes = new Uint8Array(next - head)
  let filled = 0
  for (let at = 25; at < record.length; at += 5) {
    const end = filled + record.readUInt32BE(at + 1)
    handshakes.fill(record[at]!, filled, end)
    filled = end
  }
  return { head, next, tail, bytes, handshakes, mayHaveSentMore: record[24] === 1 }
}

function u48(w: Writer, value: number): void {
  w.u16(Math.floor(value / 0x1_0000_0000))
  w.u32(value % 0x1_0000_0000)
}
