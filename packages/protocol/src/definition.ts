import { ProtocolError } from './errors.js'
import type { Reader } from './reader.js'
import type { ProtocolVersion } from './version.js'
import { putVarint, varintSize, type Writer } from './writer.js'

/** All there is to know about one kind of packet on the wire: one definition for every version and both directions. */
export interface Definition<P> {
  /** The packet type in the upper half of the first byte (section 2.2.1). */
  readonly code: number
  /** The lower half, where the standard fixes it; `undefined` for PUBLISH, whose flags carry meaning (section 2.2.2). */
  readonly flags: number | undefined
  /** Reads the body. Whoever calls checks that nothing is left over. */
  read(r: Reader, flags: number, version: ProtocolVersion): P
  /** Appends the whole packet. */
  encode(w: Writer, packet: P, version: ProtocolVersion): void
}

/** A packet with fixed flags, from how its body is read and written. */
export function definePacket<P>(
  code: number,
  flags: number,
  read: (r: Reader, version: ProtocolVersion) => P,
  write: (w: Writer, packet: P, version: ProtocolVersion) => void,
): Definition<P> {
  return {
    code,
    flags,
    read: (r, _flags, version) => read(r, version),
    encode(w, packet, version) {
      const start = beginPacket(w, (code << 4) | flags, 1)
      write(w, packet, version)
      endPacket(w, start, 1, 0)
    },
  }
}

const maxRemainingLength = 268_435_455

/** Writes the first byte and leaves `room` bytes for the Remaining Length. Answers where the packet begins. */
export function beginPacket(w: Writer, firstByte: number, room: number): number {
  const start = w.position
  w.ensure(1 + room)
  w.bytes[start] = firstByte
  w.position = start + 1 + room
  return start
}

/** Fills in the Remaining Length, `more` bytes still to follow included; moves the body only if it needs another room. */
export function endPacket(w: Writer, start: number, room: number, more: number): void {
  const body = start + 1 + room
  const length = w.position - body + more
  if (length > maxRemainingLength)
    throw new ProtocolError('packet-too-large', `a packet of ${length} bytes; MQTT ends at 268,435,455`)
  const size = varintSize(length)
  if (size !== room) moveBody(w, body, size - room)
  putVarint(w.bytes, start + 1, length)
}

function moveBody(w: Writer, body: number, by: number): void {
  if (by > 0) w.ensure(by)
  w.bytes.copyWithin(body + by, body, w.position)
  w.position += by
}
