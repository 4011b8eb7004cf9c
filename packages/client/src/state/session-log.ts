import { Decoder, encodeInto, Writer } from '@godwit/protocol'
import { isSameMessage } from './same-message.js'
import type { StoredPublish, StoredSession } from './store.js'

/** What a change says. The numbers stand in files: they keep their meaning. */
const kinds = { publish: 1, progress: 2, completed: 3, received: 4, released: 5, expiry: 6 } as const

/** A snapshot is cut into batches of about this size. */
const batchBytes = 1_048_576
/** What a message or an id takes besides topic and payload, about. */
const overheadBytes = 32

/**
 * The state of a session and the changes to it that are not in its log yet. A log is a row of batches; each is the
 * difference between two states and counts as a whole, so of the order inside it only this matters: a message comes before
 * its expiry.
 */
export class SessionLog {
  readonly #outgoing = new Map<number, StoredPublish>()
  readonly #received = new Set<number>()
  /** The publications as the log has them. */
  readonly #logged = new Map<number, StoredPublish>()
  #changedOutgoing = new Set<number>()
  #changedReceived = new Set<number>()
  #liveBytes = 0

  get session(): StoredSession {
    return {
      outgoing: [...this.#outgoing.values()].sort((a, b) => a.sequence - b.sequence),
      received: [...this.#received],
    }
  }

  /** Whether there is something for the next batch. */
  get changed(): boolean {
    return this.#changedOutgoing.size > 0 || this.#changedReceived.size > 0
  }

  /** About what a snapshot would take. */
  get liveBytes(): number {
    return this.#liveBytes + this.#received.size * overheadBytes
  }

  putOutgoing(publish: StoredPublish): void {
    this.#set(publish)
    this.#changedOutgoing.add(publish.sequence)
  }

  removeOutgoing(sequence: number): void {
    if (this.#delete(sequence)) this.#changedOutgoing.add(sequence)
  }

  putReceived(packetId: number): void {
    this.#received.add(packetId)
    this.#changedReceived.add(packetId)
  }

  removeReceived(packetId: number): void {
    if (this.#received.delete(packetId)) this.#changedReceived.add(packetId)
  }

  /** The changes since the last batch, as a batch; the log has them from now on. */
  takeChanges(): Uint8Array {
    const writer = new Writer(1024)
    for (const sequence of this.#changedOutgoing) this.#writeOutgoing(writer, sequence)
    for (const packetId of this.#changedReceived) writeReceived(writer, packetId, this.#received.has(packetId))
    this.#changedOutgoing = new Set()
    this.#changedReceived = new Set()
    return writer.written()
  }

  /** Everything, as the batches of a new log. It stays what it is at the call, however late it is read. */
  snapshot(): Iterable<Uint8Array> {
    return batchesOf([...this.#outgoing.values()], [...this.#received])
  }

  /** Takes up a batch of a log. Throws when it is none. */
  apply(batch: Uint8Array): void {
    const reader = new BatchReader(batch)
    while (reader.left > 0) this.#applyChange(reader)
  }

  #applyChange(reader: BatchReader): void {
    const kind = reader.u8()
    switch (kind) {
      case kinds.publish: {
        const publish = reader.publish()
        this.#set(publish)
        this.#logged.set(publish.sequence, publish)
        return
      }
      case kinds.progress: {
        const progress = reader.progress()
        const before = this.#outgoing.get(progress.sequence)
        if (before === undefined) throw new Error(`progress of message ${progress.sequence}, which it has not`)
        this.#set({ ...before, ...progress })
        return
      }
      case kinds.expiry: {
        const sequence = reader.u64()
        const before = this.#outgoing.get(sequence)
        if (before === undefined) throw new Error(`expiry of message ${sequence}, which it has not`)
        const publish = { ...before, expiresAt: reader.u64() }
        this.#set(publish)
        this.#logged.set(sequence, publish)
        return
      }
      case kinds.completed: {
        const sequence = reader.u64()
        this.#delete(sequence)
        this.#logged.delete(sequence)
        return
      }
      case kinds.received:
        return void this.#received.add(reader.u16())
      case kinds.released:
        return void this.#received.delete(reader.u16())
      default:
        throw new Error(`a change of the unknown kind ${kind}`)
    }
  }

  #writeOutgoing(writer: Writer, sequence: number): void {
    const publish = this.#outgoing.get(sequence)
    const logged = this.#logged.get(sequence)
    if (publish === undefined) {
      if (this.#logged.delete(sequence)) writeCompleted(writer, sequence)
      return
    }
    if (logged !== undefined && isSameMessage(logged, publish)) writeProgress(writer, kinds.progress, publish)
    else writePublish(writer, publish)
    this.#logged.set(sequence, publish)
  }

  #set(publish: StoredPublish): void {
    this.#delete(publish.sequence)
    this.#outgoing.set(publish.sequence, publish)
    this.#liveBytes += sizeOf(publish)
  }

  #delete(sequence: number): boolean {
    const publish = this.#outgoing.get(sequence)
    if (publish === undefined) return false
    this.#liveBytes -= sizeOf(publish)
    return this.#outgoing.delete(sequence)
  }
}

function* batchesOf(outgoing: readonly StoredPublish[], received: readonly number[]): Generator<Uint8Array> {
  const writer = new Writer(1024)
  for (const packetId of received) writeReceived(writer, packetId, true)
  for (const publish of outgoing) {
    writePublish(writer, publish)
    if (writer.position < batchBytes) continue
    yield writer.written()
    writer.reset()
  }
  if (writer.position > 0) yield writer.written()
}

/** The message as the PUBLISH it will be: the codec keeps everything it has. */
function writePublish(writer: Writer, publish: StoredPublish): void {
  const { topic, payload, qos, retain, properties } = publish
  const version = properties === undefined ? 4 : 5
  writeProgress(writer, kinds.publish, publish)
  writer.u8(version)
  const start = writer.position
  writer.u32(0)
  // The id is in the progress; 0, which stands for none yet, is no packet id.
  encodeInto(writer, { type: 'publish', topic, payload, qos, retain, properties, packetId: 1, dup: false }, version)
  const end = writer.position
  writer.position = start
  writer.u32(end - start - 4)
  writer.position = end
  if (publish.expiresAt !== Infinity) writeExpiry(writer, publish)
}

function writeExpiry(writer: Writer, { sequence, expiresAt }: StoredPublish): void {
  writer.u8(kinds.expiry)
  writeU64(writer, sequence)
  writeU64(writer, expiresAt)
}

function writeProgress(writer: Writer, kind: number, { sequence, packetId, released }: StoredPublish): void {
  writer.u8(kind)
  writeU64(writer, sequence)
  writer.u16(packetId)
  writeU64(writer, released)
}

function writeCompleted(writer: Writer, sequence: number): void {
  writer.u8(kinds.completed)
  writeU64(writer, sequence)
}

function writeReceived(writer: Writer, packetId: number, present: boolean): void {
  writer.u8(present ? kinds.received : kinds.released)
  writer.u16(packetId)
}

function writeU64(writer: Writer, value: number): void {
  writer.u32(Math.floor(value / 2 ** 32))
  writer.u32(value % 2 ** 32)
}

/** A cursor over one batch. Reading past its end throws a RangeError. */
class BatchReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u64(): number {
    const at = this.#take(8)
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4)
  }

  progress(): Pick<StoredPublish, 'sequence' | 'packetId' | 'released'> {
    return { sequence: this.u64(), packetId: this.u16(), released: this.u64() }
  }

  publish(): StoredPublish {
    const progress = this.progress()
    const version = this.u8() === 4 ? 4 : 5
    const length = this.#view.getUint32(this.#take(4))
    const start = this.#take(length)
    const decoder = new Decoder({ version, allowControlCharacters: true })
    decoder.push(this.#bytes.subarray(start, start + length))
    const packet = decoder.next()
    if (packet?.type !== 'publish' || packet.qos === 0) throw new Error('a message that is no PUBLISH of QoS 1 or 2')
    const { topic, payload, qos, retain, properties } = packet
    // A copy, so that a message does not hold the whole log in memory.
    return { ...progress, topic, payload: new Uint8Array(payload), qos, retain, properties, expiresAt: Infinity }
  }

  #take(length: number): number {
    if (length > this.left) throw new RangeError('a change that is cut short')
    const at = this.#at
    this.#at += length
    return at
  }
}

function sizeOf({ topic, payload }: StoredPublish): number {
  return topic.length + payload.length + overheadBytes
}
