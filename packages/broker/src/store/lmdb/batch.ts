import { type QoS, Writer } from '@godwit/protocol'
import type { Commit } from '../../commit.js'
import type { Message } from '../../message.js'
import type { KeptMessage, QueuedMessage } from '../queue.js'
import { readMessage, writeMessage } from './message-record.js'

/** A session as the store numbers it: Client Identifiers may be too long for keys. */
export type SessionNumber = number

/** The messages of one batch that go to one session: numbers `first` to `first + count - 1`. */
export interface Share {
  readonly first: number
  count: number
  bytes: number
  /** How many of them are not done. */
  left: number
}

const messageEntry = 1
const targetEntry = 2

/**
 * All messages of one commit as one record, each once, however many sessions it goes to. The record is a run of
 * entries: a message (1, its record), then one entry for each session it goes to (2, flags, session). A
 * session's messages stand in the order of their numbers, so the numbers need no room.
 */
export class Batch {
  readonly commit: Commit
  /** What each session has in it. Known for batches written by this process. */
  readonly shares = new Map<SessionNumber, Share>()
  /** Whether it is safe on disk. */
  flushed = false
  readonly #writer: Writer
  #newest: Message | undefined
  /** What has been read back so far. */
  readonly #entries = new Map<SessionNumber, KeptMessage[]>()
  #read = 0
  #readMessage: Message | undefined

  /** @param room a buffer to write in; nobody else may hold it. */
  constructor(commit: Commit, room: Uint8Array) {
    this.commit = commit
    this.#writer = new Writer(0)
    this.#writer.bytes = room
  }

  /** A batch as it was written before. */
  static from(commit: Commit, bytes: Uint8Array): Batch {
    const batch = new Batch(commit, bytes)
    batch.#writer.position = bytes.length
    batch.flushed = true
    return batch
  }

  get bytes(): Uint8Array {
    return this.#writer.written()
  }

  /** Whether messages were read back from it, and may be held by somebody: its buffer must stay as it is. */
  get isRead(): boolean {
    return this.#read > 0
  }

  /** Its whole buffer. */
  get room(): Uint8Array {
    return this.#writer.bytes
  }

  get size(): number {
    return this.#writer.position
  }

  /** Adds a message for a session; the same message for the next session costs a few bytes. */
  add(session: SessionNumber, number: number, { message, qos, retain, identifiers, shared }: QueuedMessage): void {
    const w = this.#writer
    if (message !== this.#newest) {
      this.#newest = message
      w.u8(messageEntry)
      writeMessage(w, message)
    }
    w.u8(targetEntry)
    w.u8((shared ? 16 : 0) | (identifiers ? 8 : 0) | (qos << 1) | (retain ? 1 : 0))
    w.u32(session)
    if (identifiers) {
      w.u16(identifiers.length)
      for (const identifier of identifiers) w.u32(identifier)
    }
    const share = this.shares.get(session)
    const bytes = message.payloadBytes
    if (!share) this.shares.set(session, { first: number, count: 1, bytes, left: 1 })
    else {
      share.count++
      share.left++
      share.bytes += bytes
    }
  }

  /** The session's message at `index` of its share. */
  at(session: SessionNumber, index: number): KeptMessage | undefined {
    this.#readOn()
    return this.#entries.get(session)?.[index]
  }

  /** The sessions that have a share in it. */
  sessions(): Iterable<SessionNumber> {
    this.#readOn()
    return this.#entries.keys()
  }

  /** Reads what has been written since it was last read. */
  #readOn(): void {
    const { bytes, position: end } = this.#writer
    while (this.#read < end) {
      const kind = bytes[this.#read]
      if (kind === messageEntry) [this.#readMessage, this.#read] = readMessage(bytes, this.#read + 1)
      else if (kind === targetEntry) this.#read = this.#readTarget(bytes, this.#read)
      else throw new Error(`entry kind ${kind} at byte ${this.#read} of batch ${this.commit}`)
    }
  }

  #readTarget(bytes: Uint8Array, start: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const flags = view.getUint8(start + 1)
    const session = view.getUint32(start + 2)
    let at = start + 6
    let identifiers: number[] | undefined
    if (flags & 8) {
      identifiers = Array.from({ length: view.getUint16(at) }, (_, index) => view.getUint32(at + 2 + index * 4))
      at += 2 + identifiers.length * 4
    }
    const kept: KeptMessage = {
      message: this.#readMessage!,
      qos: ((flags >> 1) & 3) as QoS,
      retain: (flags & 1) !== 0,
      identifiers,
      shared: (flags & 16) !== 0,
      commit: this.flushed ? 0 : this.commit,
    }
    const entries = this.#entries.get(session)
    if (entries) entries.push(kept)
    else this.#entries.set(session, [kept])
    return at
  }
}
