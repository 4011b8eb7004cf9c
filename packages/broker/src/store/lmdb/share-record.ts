import { type QoS, Writer } from '@godwit/protocol'
import type { QueuedMessage } from '../queue.js'
import { sumOf, viewOf } from './checksums.js'
import { type GroupNumber, readU32, readU48, type SessionNumber, shareKey, writeU32, writeU48 } from './keys.js'
import { writeMessage } from './message-record.js'
import { checksum } from './records.js'

// A share is a run of one session's messages, with consecutive numbers, as one record. An entry is found by its number
// without a look at any other:
//
//   entries   sum (4), flags (1), identifiers (count, 4 each) if it has some, then the message itself, or
//             where it lies when several sessions have it: group (6), place in it (4)
//   table     an entry each: its number less the first (2), where it begins (4)
//   trailer   groups referred to (6 each) and their count (2); when something in it expires, in seconds (6); bytes
//             charged (6); numbers covered (4); entries (4); checksum of all behind the entries (4); of all before it (4)
//
// While the last checksum is right, so is every entry. When it is wrong, the one before it says whether the entries can
// still be found, and the sum of each whether it is as it was written.
//
// Numbers that are covered and have no entry are gone: done before the record was written, expired, or set aside because they were damaged.

/** A share is closed when it is this large: reading one message reads no more than that, and its own length. */
export const shareBytes = 32_768
/** The table counts numbers in 16 bits. */
const mostNumbers = 60_000

const trailerBytes = 30
const tableEntryBytes = 6
const refBytes = 10
/** What an entry has in front of what came off the wire, roughly. */
const headBytes = 24

const hasIdentifiers = 8
const isShared = 16
const isReference = 32

/** Which body of the commit's shared ones an entry refers to; where that lies is known when the commit is closed. */
interface Reference {
  readonly at: number
  readonly body: number
}

/** Where a body that several sessions have ended up. */
export interface BodyPlace {
  readonly group: GroupNumber
  readonly index: number
}

/** How a message is delivered, and where it lies: in the share itself, or among the bodies of a group. */
export interface ShareEntry {
  readonly qos: QoS
  readonly retain: boolean
  readonly identifiers: readonly number[] | undefined
  readonly shared: boolean
  /** The message's record in the bytes of the share; `undefined`: it is in a group. */
  readonly body: { readonly start: number; readonly end: number } | undefined
  readonly place: BodyPlace | undefined
}

/** What was written of an entry is not what is read. */
export class DamagedError extends Error {}

/**
 * A share while its commit gathers. Most of what a client acknowledges at once is never written: what came off the wire, and so can be
 * written later too, is held as it came until then.
 */
export class ShareBuilder {
  readonly session: SessionNumber
  readonly first: number
  readonly #w = new Writer(0)
  readonly #ats: number[] = []
  readonly #numbers: number[] = []
  #references: Reference[] | undefined
  /** Entries that are not written yet: the last ones, without those that are done. */
  #held: (QueuedMessage | undefined)[] = []
  /** What these take when they are written, roughly. */
  #heldBytes = 0
  /** Entries that came with their sums; those behind them have theirs when the share is written. */
  #copied = 0
  /** When the first of them expires, in seconds; 0: none does. */
  due = 0

  constructor(session: SessionNumber, first: number, room: Uint8Array) {
    this.session = session
    this.first = first
    this.#w.bytes = room
  }

  get size(): number {
    return this.#w.position + this.#heldBytes
  }

  get room(): Uint8Array {
    return this.#w.bytes
  }

  get isFull(): boolean {
    return this.size >= shareBytes || this.#numbers.length >= mostNumbers
  }

  /** Adds an entry that is written with the share: the bytes of its message, which came off the wire, stay as they are until then. */
  hold(number: number, entry: QueuedMessage): void {
    const { topicStart, end, expiresAt } = entry.message
    this.#numbers.push(number)
    this.#held.push(entry)
    this.#heldBytes += end - topicStart + headBytes
    this.#note(expiresAt)
  }

  /** The message is done: if it is still held, it is never written. */
  done(number: number): void {
    const index = number - this.first
    const at = index - this.#ats.length
    if (at >= 0 && this.#numbers[index] === number) this.#held[at] = undefined
  }

  /** Adds an entry with the message in it. */
  add(number: number, entry: QueuedMessage): void {
    this.#writeHeld()
    const w = this.#w
    const at = w.position
    try {
      this.#numbers.push(number)
      this.#begin(entry, 0)
      writeMessage(w, entry.message)
    } catch (error) {
      this.#takeBack(at)
      throw error
    }
    this.#note(entry.message.expiresAt)
  }

  /** Adds an entry for a message that is the commit's `body`-th shared one. */
  addReference(number: number, entry: QueuedMessage, body: number): void {
    this.#writeHeld()
    const w = this.#w
    const at = w.position
    this.#numbers.push(number)
    this.#begin(entry, isReference)
    this.#references ??= []
    this.#references.push({ at, body })
    w.ensure(refBytes)
    w.position += refBytes
    this.#note(entry.message.expiresAt)
  }

  /** Adds an entry as another record has it, before any that is new. */
  copy(number: number, record: ShareReader, index: number): void {
    const w = this.#w
    this.#copied++
    this.#ats.push(w.position)
    this.#numbers.push(number)
    const [start, end] = record.boundsAt(index)
    w.copy(record.bytes, start, end)
  }

  /** Begins with all that another record has. */
  copyAll(record: ShareReader): void {
    for (let index = 0; index < record.entries; index++) this.copy(record.numberAt(index), record, index)
    this.due = record.due
  }

  get count(): number {
    return this.#numbers.length
  }

  numberAt(index: number): number {
    return this.#numbers[index]!
  }

  /** The first of its numbers that is not below this one. */
  numberFrom(number: number): number | undefined {
    const at = number - this.first
    return at < 0 || this.#numbers[at] === number
      ? Math.max(number, this.first)
      : this.#numbers.find((one) => one >= number)
  }

  /** -1: it has no such entry, or one that is done. */
  indexOf(number: number): number {
    const at = number - this.first
    const index = this.#numbers[at] === number ? at : this.#numbers.indexOf(number)
    return index < this.#ats.length || this.heldAt(index) ? index : -1
  }

  /** Of the entry at an index: which shared body it refers to, or -1. */
  bodyAt(index: number): number {
    const at = this.#ats[index]
    return this.#references?.find((one) => one.at === at)?.body ?? -1
  }

  /** The entry at an index while it is held; `undefined`: it is written. */
  heldAt(index: number): QueuedMessage | undefined {
    return this.#held[index - this.#ats.length]
  }

  /** The entry at an index that is written, whose message is read from {@link room}, unless it is a shared one. */
  entryAt(index: number): ShareEntry {
    const start = this.#ats[index]!
    const end = this.#ats[index + 1] ?? this.#w.position
    const entry = entryIn(this.#w.bytes, start, end)
    return entry
  }

  /**
   * The whole record. References are filled in by `placeOf`.
   * @param covered how many numbers, from the first.
   * @param bytes charged for it.
   */
  finish(
    covered: number,
    bytes: number,
    placeOf: (body: number) => BodyPlace,
    groups: readonly GroupNumber[],
  ): Uint8Array {
    this.#writeHeld()
    const w = this.#w
    for (const { at, body } of this.#references ?? []) this.#fillIn(at, placeOf(body))
    const tableAt = w.position
    const entries = this.#ats.length
    this.#seal()
    w.ensure(entries * tableEntryBytes + groups.length * 6 + trailerBytes)
    const { bytes: target } = w
    let to = tableAt
    for (let index = 0; index < entries; index++) {
      const offset = this.#numbers[index]! - this.first
      target[to] = offset >>> 8
      target[to + 1] = offset
      writeU32(target, this.#ats[index]!, to + 2)
      to += tableEntryBytes
    }
    for (const group of groups) {
      writeU48(target, group, to)
      to += 6
    }
    target[to] = groups.length >>> 8
    target[to + 1] = groups.length
    writeU48(target, this.due, to + 2)
    writeU48(target, bytes, to + 8)
    writeU32(target, covered, to + 14)
    writeU32(target, entries, to + 18)
    const key = shareKey(this.session, this.first)
    writeU32(target, checksum('shares', key, target, tableAt, to + 22), to + 22)
    writeU32(target, checksum('shares', key, target, 0, to + 26), to + 26)
    w.position = to + trailerBytes
    return w.written()
  }

  #writeHeld(): void {
    const held = this.#held
    if (held.length === 0) return
    const numbers = this.#numbers.splice(this.#ats.length)
    for (let at = 0; at < held.length; at++) {
      const entry = held[at]
      if (!entry) continue
      this.#numbers.push(numbers[at]!)
      this.#begin(entry, 0)
      writeMessage(this.#w, entry.message)
    }
    this.#held = []
    this.#heldBytes = 0
  }

  #begin({ qos, retain, identifiers, shared }: QueuedMessage, kind: number): void {
    const w = this.#w
    this.#ats.push(w.position)
    w.ensure(5)
    w.position += 4
    w.u8(kind | (shared ? isShared : 0) | (identifiers ? hasIdentifiers : 0) | (qos << 1) | (retain ? 1 : 0))
    if (!identifiers) return
    w.u32(identifiers.length)
    for (const identifier of identifiers) w.u32(identifier)
  }

  #takeBack(at: number): void {
    this.#w.position = at
    this.#ats.pop()
    this.#numbers.pop()
  }

  #fillIn(at: number, { group, index }: BodyPlace): void {
    const end = this.#endOf(at)
    writeU48(this.#w.bytes, group, end - refBytes)
    writeU32(this.#w.bytes, index, end - 4)
  }

  #endOf(at: number): number {
    const flags = this.#w.bytes[at + 4]!
    const identifiers = flags & hasIdentifiers ? 4 + 4 * readU32(this.#w.bytes, at + 5) : 0
    return at + 5 + identifiers + refBytes
  }

  /** Only now: most of what a client acknowledges at once is never written. */
  #seal(): void {
    const { bytes, position } = this.#w
    const view = viewOf(bytes)
    for (let index = this.#copied; index < this.#ats.length; index++) {
      const at = this.#ats[index]!
      const end = this.#ats[index + 1] ?? position
      writeU32(bytes, sumOf(this.session, this.#numbers[index]!, view, at + 4, end), at)
    }
  }

  #note(expiresAt: number): void {
    if (expiresAt === Number.POSITIVE_INFINITY) return
    const second = Math.ceil(expiresAt / 1000)
    if (this.due === 0 || second < this.due) this.due = second
  }
}

/** A share as it was stored. */
export class ShareReader {
  readonly session: SessionNumber
  readonly first: number
  readonly bytes: Uint8Array
  /** How many entries there are, and how many numbers they are of. */
  readonly entries: number
  readonly covered: number
  /** Charged for it. */
  readonly charged: number
  readonly due: number
  readonly groups: readonly GroupNumber[]
  readonly #tableAt: number
  /** Nothing of it is damaged; false: each entry is looked at. */
  readonly isWhole: boolean

  /** @throws DamagedError when what says where its entries are cannot be trusted. */
  constructor(session: SessionNumber, first: number, bytes: Uint8Array) {
    this.session = session
    this.first = first
    this.bytes = bytes
    const trailerAt = bytes.length - trailerBytes
    if (trailerAt < 0) throw new DamagedError('a share that is too short')
    const groupCount = (bytes[trailerAt]! << 8) | bytes[trailerAt + 1]!
    this.due = readU48(bytes, trailerAt + 2)
    this.charged = readU48(bytes, trailerAt + 8)
    this.covered = readU32(bytes, trailerAt + 14)
    this.entries = readU32(bytes, trailerAt + 18)
    this.#tableAt = trailerAt - groupCount * 6 - this.entries * tableEntryBytes
    const key = shareKey(session, first)
    const isRight = (from: number, at: number) => readU32(bytes, at) === checksum('shares', key, bytes, from, at)
    this.isWhole = this.#tableAt >= 0 && isRight(0, bytes.length - 4)
    if (!this.isWhole && (this.#tableAt < 0 || !isRight(this.#tableAt, bytes.length - 8))) {
      throw new DamagedError('a share whose checksum is wrong')
    }
    this.groups =
      groupCount === 0
        ? noGroups
        : Array.from({ length: groupCount }, (_, at) => readU48(bytes, trailerAt - (groupCount - at) * 6))
  }

  /** The number of the entry at an index. */
  numberAt(index: number): number {
    const at = this.#tableAt + index * tableEntryBytes
    return this.first + ((this.bytes[at]! << 8) | this.bytes[at + 1]!)
  }

  /** The index of the first entry with this number or a later one. */
  indexFrom(number: number): number {
    const offset = number - this.first
    if (offset <= 0) return 0
    if (this.entries === this.covered) return Math.min(offset, this.entries) // nothing of it is gone
    let low = 0
    let high = this.entries
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.numberAt(middle) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Where the entry at an index lies in {@link bytes}. @throws DamagedError when it is not as it was written. */
  boundsAt(index: number): readonly [start: number, end: number] {
    const start = this.#startAt(index)
    const end = index + 1 < this.entries ? this.#startAt(index + 1) : this.#tableAt
    if (!this.isWhole && !this.#isAsWritten(index, start, end))
      throw new DamagedError('a message whose checksum is wrong')
    return [start, end]
  }

  /** @throws DamagedError */
  entryAt(index: number): ShareEntry {
    const [start, end] = this.boundsAt(index)
    return entryIn(this.bytes, start, end)
  }

  #isAsWritten(index: number, start: number, end: number): boolean {
    return readU32(this.bytes, start) === sumOf(this.session, this.numberAt(index), viewOf(this.bytes), start + 4, end)
  }

  #startAt(index: number): number {
    return readU32(this.bytes, this.#tableAt + index * tableEntryBytes + 2)
  }
}

const noGroups: readonly GroupNumber[] = []

function entryIn(bytes: Uint8Array, start: number, end: number): ShareEntry {
  const flags = bytes[start + 4]!
  let at = start + 5
  let identifiers: number[] | undefined
  if (flags & hasIdentifiers) {
    const from = at + 4
    identifiers = Array.from({ length: readU32(bytes, at) }, (_, index) => readU32(bytes, from + index * 4))
    at = from + identifiers.length * 4
  }
  return {
    qos: ((flags >> 1) & 3) as QoS,
    retain: (flags & 1) !== 0,
    identifiers,
    shared: (flags & isShared) !== 0,
    body: flags & isReference ? undefined : { start: at, end },
    place: flags & isReference ? { group: readU48(bytes, at), index: readU32(bytes, at + 6) } : undefined,
  }
}
