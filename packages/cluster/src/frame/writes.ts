import { type TableName, tableNames, type Write } from '@godwit/broker/store/lmdb'
import { FrameDamage } from './frame.js'

// A write: table, key, and a value or none. Lengths come before what they are of; numbers are big-endian.
const removed = 0xffff_ffff
const beforeKey = 1 + 2
const beforeValue = 4

/** The writes of a commit as bytes, in their order. */
export function encodeWrites(writes: readonly Write[]): Uint8Array {
  let size = 0
  for (const { key, value } of writes) size += beforeKey + key.length + beforeValue + (value?.length ?? 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const { table, key, value } of writes) {
    bytes[at] = tableNames.indexOf(table)
    bytes.writeUInt16BE(key.length, at + 1)
    bytes.set(key, at + beforeKey)
    at += beforeKey + key.length
    bytes.writeUInt32BE(value ? value.length : removed, at)
    at += beforeValue
    if (!value) continue
    bytes.set(value, at)
    at += value.length
  }
  return bytes
}

/**
 * Reads what {@link encodeWrites} has made, from the parts it was cut into. Keys and values are copies of their own.
 * @throws FrameDamage when the bytes do not end with a write.
 */
export function decodeWrites(parts: readonly Uint8Array[]): Write[] {
  const bytes = Buffer.concat(parts)
  const writes: Write[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + beforeKey > bytes.length) throw cutShort()
    const table = tableNames[bytes[at]!]
    if (table === undefined) throw new FrameDamage(`it writes to table ${bytes[at]}, and there is none`)
    const keyEnd = at + beforeKey + bytes.readUInt16BE(at + 1)
    if (keyEnd + beforeValue > bytes.length) throw cutShort()
    const key = bytes.subarray(at + beforeKey, keyEnd)
    const length = bytes.readUInt32BE(keyEnd)
    at = keyEnd + beforeValue
    writes.push({
      table: table satisfies TableName,
      key,
      value: length === removed ? undefined : valueAt(bytes, at, length),
    })
    if (length !== removed) at += length
  }
  return writes
}

function valueAt(bytes: Buffer, at: number, length: number): Buffer {
  if (at + length > bytes.length) throw cutShort()
  return bytes.subarray(at, at + length)
}

function cutShort(): FrameDamage {
  return new FrameDamage('its writes are cut short')
}

/** Bytes cut into pieces of at most so many; nothing is one empty piece. */
export function cut(bytes: Uint8Array, most: number): readonly Uint8Array[] {
  if (bytes.length <= most) return [bytes]
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += most) pieces.push(bytes.subarray(at, at + most))
  return pieces
}
