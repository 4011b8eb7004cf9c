import { createHash } from 'node:crypto'

/** A session, or a shared group, as the store numbers it: Client Identifiers may be too long for keys. */
export type SessionNumber = number

/** The number of a record of bodies that several shares refer to. */
export type GroupNumber = number

// Keys are bytes in the order in which LMDB sorts them; numbers are big-endian.

export function sessionKey(session: SessionNumber): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(session, 0)
  return key
}

/** Of the fact that every store has. */
export const clockKey: Buffer = Buffer.from('clock')

/** The share of a session that begins with the message of this number. */
export function shareKey(session: SessionNumber, first: number): Buffer {
  const key = Buffer.allocUnsafe(10)
  key.writeUInt32BE(session, 0)
  writeU48(key, first, 4)
  return key
}

export function groupKey(group: GroupNumber): Buffer {
  const key = Buffer.allocUnsafe(6)
  writeU48(key, group, 0)
  return key
}

/** @param second when something in the share expires, in seconds since 1970. */
export function dueKey(second: number, session: SessionNumber, first: number): Buffer {
  const key = Buffer.allocUnsafe(16)
  writeU48(key, second, 0)
  key.writeUInt32BE(session, 6)
  writeU48(key, first, 10)
  return key
}

/** A session's subscription, or page of received ids. */
export function subscriptionKey(session: SessionNumber, filter: string): Buffer {
  return Buffer.concat([sessionKey(session), hashOf(filter)])
}

export function receivedKey(session: SessionNumber, page: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key.writeUInt32BE(session, 0)
  key[4] = page
  return key
}

/** Texts of up to 65,535 bytes as keys: lmdb's end at 1,978. Two texts with one SHA-256 do not occur. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Cheaper than the method of Buffer, which checks its arguments. */
export function writeU48(bytes: Uint8Array, value: number, at: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  bytes[at + 2] = value >>> 24
  bytes[at + 3] = value >>> 16
  bytes[at + 4] = value >>> 8
  bytes[at + 5] = value
}

export function readU48(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 8) | bytes[at + 1]!
  const low = readU32(bytes, at + 2)
  return high === 0 ? low : high * 0x1_0000_0000 + low // small ones stay small integers: a field of others costs 16 bytes more
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function writeU32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
