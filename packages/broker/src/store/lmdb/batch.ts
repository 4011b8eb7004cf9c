import { type QoS, Writer } from '@godwit/protocol'
import type { Commit } from '../../commit.js'
import { Message } from '../../message.js'
import type { KeptMessage, QueuedMessage } from '../queue.js'

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
 * entries: a message (1, flags, topic, payload), then one entry for each session it goes to (2, flags, session). A
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
  add(session: SessionNumber, number: number, { message, qos, retain }: QueuedMessage): void {
    const w = this.#writer
    if (message !== this.#newest) {
      this.#newest = message
      w.u8(messageEntry)
      w.u8((message.qos << 1) | (message.retain ? 1 : 0))
      w.utf8(message.topic)
      w.u32(message.payloadBytes)
      w.copy(message.bytes, message.start, message.end)
    }
    w.u8(targetEntry)
    w.u8((qos << 1) | (retain ? 1 : 0))
    w.u32(session)
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
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = this.#read
    while (at < end) {
      const kind = bytes[at]
      const flags = bytes[at + 1]!
      if (kind === messageEntry) {
        const topicEnd = at + 4 + view.getUint16(at + 2)
        const payloadEnd = topicEnd + 4 + view.getUint32(topicEnd)
        this.#readMessage = readMessage(bytes, flags, at + 4, topicEnd, payloadEnd)
        at = payloadEnd
      } else if (kind === targetEntry) {
        const session = view.getUint32(at + 2)
        const entry = { message: this.#readMessage!, qos: (flags >> 1) as QoS, retain: (flags & 1) !== 0 }
        const entries = this.#entries.get(session)
        const kept = { ...entry, commit: this.flushed ? 0 : this.commit }
        if (entries) entries.push(kept)
        else this.#entries.set(session, [kept])
        at += 6
      } else throw new Error(`entry kind ${kind} at byte ${at} of batch ${this.commit}`)
    }
    this.#read = end
  }
}

function readMessage(
  bytes: Uint8Array,
  flags: number,
  topicStart: number,
  topicEnd: number,
  payloadEnd: number,
): Message {
  const topic = Buffer.from(bytes.buffer, bytes.byteOffset + topicStart, topicEnd - topicStart).toString('utf8')
  // The batch is never written over, so its bytes can be shared.
  return Message.of(topic, bytes.subarray(topicEnd + 4, payloadEnd), (flags >> 1) as QoS, (flags & 1) !== 0)
}
