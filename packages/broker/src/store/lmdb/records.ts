import { type Connect, Decoder, encodeInto, type QoS, type Will, Writer } from '@godwit/protocol'
import type { Message } from '../../message.js'
import type { OutgoingState, StoredGrant } from '../store.js'
import { crc32 } from './checksums.js'
import { readU32, readU48, writeU32, writeU48 } from './keys.js'
import { readMessage, writeMessage } from './message-record.js'
import { type TableName, tableNames } from './tables.js'

/** A session's own record. */
export interface SessionRecord {
  readonly clientId: string
  readonly expirySeconds: number
  /** In ms of the broker's time; infinite = never; `undefined`: a connection is using it. */
  readonly expiresAt: number | undefined
  /** It is a shared group's, and the name is its filter. */
  readonly isGroup: boolean
}

export interface SubscriptionRecord extends StoredGrant {
  readonly filter: string
  /** Not all that is retained has been sent for it. */
  readonly owed: boolean
}

export interface WillRecord {
  readonly clientId: string
  readonly will: Will
  /** In ms of the broker's time; `undefined`: its connection is open. */
  readonly dueAt: number | undefined
}

/** What the wall clock and the broker's own time showed at a commit. */
interface ClockRecord {
  readonly wall: number
  readonly time: number
}

const sealBytes = 4

/** Stands for "never" where a time is expected. */
const never = 0xffff_ffff_ffff
/** Stands for "not yet known". */
const open = never - 1

/** The checksum covers the table and the key too: a record that is found in another's place is not taken for it. */
export function checksum(table: TableName, key: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
  return crc32(bytes, start, end, crc32(key, 0, key.length, tableNames.indexOf(table) + 1))
}

/** Records of up to about this size are written here first, and kept in a buffer cut to their size. */
const smallBytes = 1_024
let scratch = new Writer(smallBytes)

/** A record as it is stored: its checksum, and what `fill` writes: about so many bytes. */
function sealed(table: TableName, key: Uint8Array, fill: (w: Writer) => void, bytes = 64): Uint8Array {
  const isSmall = bytes <= smallBytes
  const w = isSmall ? scratch : new Writer(bytes + sealBytes)
  w.position = sealBytes
  fill(w)
  writeU32(w.bytes, checksum(table, key, w.bytes, sealBytes, w.position), 0)
  if (!isSmall) return w.written()
  const record = Buffer.allocUnsafe(w.position) // from Node's pool: nothing of its own to be cleared away
  record.set(w.written())
  if (w.bytes.length > 64 * smallBytes) scratch = new Writer(smallBytes)
  return record
}

/** Whether a record is as it was written. */
export function isWhole(table: TableName, key: Uint8Array, value: Uint8Array): boolean {
  return value.length > sealBytes && readU32(value, 0) === checksum(table, key, value, sealBytes, value.length)
}

export function writeSession(key: Buffer, record: SessionRecord): Uint8Array {
  return sealed('sessions', key, (w) => {
    w.u8(record.isGroup ? 1 : 0)
    w.u32(record.expirySeconds)
    time(w, record.expiresAt)
    w.utf8(record.clientId)
  })
}

export function readSession(key: Buffer, value: Buffer): SessionRecord | undefined {
  if (!isWhole('sessions', key, value)) return undefined
  return {
    isGroup: value[4] === 1,
    expirySeconds: readU32(value, 5),
    expiresAt: timeAt(value, 9),
    clientId: value.toString('utf8', 17),
  }
}

export function writeSubscription(key: Buffer, record: SubscriptionRecord): Uint8Array {
  return sealed('subscriptions', key, (w) => {
    const { qos, noLocal, retainAsPublished, owed, bridge } = record
    w.u8(qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (owed ? 16 : 0) | (bridge ? 32 : 0))
    w.u32(record.identifier)
    w.utf8(record.filter)
  })
}

export function readSubscription(key: Buffer, value: Buffer): SubscriptionRecord | undefined {
  if (!isWhole('subscriptions', key, value)) return undefined
  const flags = value[4]!
  return {
    qos: (flags & 3) as QoS,
    noLocal: (flags & 4) !== 0,
    retainAsPublished: (flags & 8) !== 0,
    owed: (flags & 16) !== 0,
    ...((flags & 32) !== 0 && { bridge: true }),
    identifier: readU32(value, 5),
    filter: value.toString('utf8', 11),
  }
}

/** A will has the form that brought it: a CONNECT of 5.0. */
export function writeWill(key: Buffer, { clientId, will, dueAt }: WillRecord): Uint8Array {
  return sealed('wills', key, (w) => {
    time(w, dueAt)
    const connect: Connect = { type: 'connect', version: 5, clientId, cleanStart: true, keepAliveSeconds: 0, will }
    encodeInto(w, connect, 5)
  })
}

export function readWill(key: Buffer, value: Buffer): WillRecord | undefined {
  if (!isWhole('wills', key, value)) return undefined
  const decoder = new Decoder({ version: 5, allowControlCharacters: true })
  decoder.push(value.subarray(10))
  const packet = decoder.next()
  if (packet?.type !== 'connect' || !packet.will) return undefined
  return { clientId: packet.clientId, will: structuredClone(packet.will), dueAt: timeAt(value, 4) }
}

export function writeRetained(key: Buffer, message: Message): Uint8Array {
  return sealed('retained', key, (w) => writeMessage(w, message), message.payloadBytes + message.topic.length + 64)
}

export function readRetained(key: Buffer, value: Buffer): Message | undefined {
  return isWhole('retained', key, value) ? readMessage(new Uint8Array(value), sealBytes, value.length) : undefined
}

export function writePage(key: Buffer, bits: Uint8Array): Uint8Array {
  return sealed('received', key, (w) => w.copy(bits, 0, bits.length), bits.length)
}

export function readPage(key: Buffer, value: Buffer): Uint8Array | undefined {
  return isWhole('received', key, value) ? new Uint8Array(value.subarray(sealBytes)) : undefined
}

export function writeClock(key: Buffer, { wall, time: at }: ClockRecord): Uint8Array {
  return sealed('facts', key, (w) => {
    time(w, wall)
    time(w, at)
  })
}

export function readClock(key: Buffer, value: Buffer): ClockRecord | undefined {
  if (!isWhole('facts', key, value)) return undefined
  return { wall: readU48(value, 4), time: readU48(value, 10) }
}

/** A fact of whoever keeps it: bytes under a name. */
export function writeFact(key: Buffer, bytes: Uint8Array): Uint8Array {
  return sealed('facts', key, (w) => w.copy(bytes, 0, bytes.length), bytes.length)
}

export function readFact(key: Buffer, value: Buffer): Buffer | undefined {
  return isWhole('facts', key, value) ? Buffer.from(value.subarray(sealBytes)) : undefined
}

export function writeCount(table: 'readers' | 'ended' | 'due', key: Buffer, count: number): Uint8Array {
  return sealed(table, key, (w) => w.u32(count), 4)
}

export function readCount(table: 'readers' | 'ended' | 'due', key: Buffer, value: Buffer): number | undefined {
  return isWhole(table, key, value) ? readU32(value, sealBytes) : undefined
}

function time(w: Writer, ms: number | undefined): void {
  w.ensure(6)
  writeU48(w.bytes, ms === undefined ? open : ms === Number.POSITIVE_INFINITY ? never : Math.max(0, ms), w.position)
  w.position += 6
}

function timeAt(bytes: Uint8Array, at: number): number | undefined {
  const ms = readU48(bytes, at)
  if (ms === open) return undefined
  return ms === never ? Number.POSITIVE_INFINITY : ms
}

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
