import type { Commit } from '../../commit.js'
import type { QueuedMessage } from '../queue.js'
import { Batch, type SessionNumber, type Share } from './batch.js'
import type { Tables, Write } from './tables.js'

/** Batches kept in memory for sessions that read them again; in bytes. */
const rememberedBytes = 4_194_304
/** First room of a batch; the room of a closed one is used again unless it has grown past the most. */
const roomBytes = 65_536
const mostRoomBytes = 4_194_304

/** A share and the batch it is of. */
export interface Position extends Share {
  readonly commit: Commit
}

/**
 * The log of batches, and who still reads them. The open batch takes what is written; commits close it. A batch is
 * removed when its last session has passed it.
 */
export class MessageLog {
  readonly #tables: Tables
  readonly #write: (write: Write) => void
  #open: Batch
  /** Closed and not yet flushed. */
  #closing: Batch | undefined
  #spareRoom: Uint8Array | undefined
  readonly #remembered = new Map<Commit, Batch>()
  #rememberedBytes = 0
  /** Sessions that have not passed a batch; for batches this process has looked at. */
  readonly #readers = new Map<Commit, number>()

  constructor(tables: Tables, firstCommit: Commit, write: (write: Write) => void) {
    this.#tables = tables
    this.#write = write
    this.#open = new Batch(firstCommit, new Uint8Array(roomBytes))
  }

  /** Bytes of messages that are not safe yet. */
  get waitingBytes(): number {
    return this.#open.size + (this.#closing?.size ?? 0)
  }

  append(session: SessionNumber, number: number, entry: QueuedMessage): Commit {
    this.#open.add(session, number, entry)
    return this.#open.commit
  }

  batch(commit: Commit): Batch | undefined {
    if (commit === this.#open.commit) return this.#open
    if (commit === this.#closing?.commit) return this.#closing
    const remembered = this.#remembered.get(commit)
    if (remembered) return remembered
    const bytes = this.#tables.batches.get(commit)
    if (!bytes) return undefined
    const batch = Batch.from(commit, bytes)
    this.#remember(batch)
    return batch
  }

  /** Closes the open batch: what has to be written for it. Shares that are done already are left out. */
  close(next: Commit): readonly Write[] {
    const batch = this.#open
    this.#open = new Batch(next, this.#spareRoom ?? new Uint8Array(roomBytes))
    this.#spareRoom = undefined
    this.#closing = batch
    const { batches, shares } = this.#tables
    const writes: Write[] = []
    for (const [session, share] of batch.shares) {
      if (share.left > 0)
        writes.push({ table: shares, key: [session, batch.commit], value: writeShare(share) } as Write)
    }
    if (writes.length === 0) return writes
    this.#readers.set(batch.commit, writes.length)
    writes.push({ table: batches, key: batch.commit, value: batch.bytes } as Write)
    return writes
  }

  /** The closed batch is on disk. */
  flushed(): void {
    const batch = this.#closing
    this.#closing = undefined
    if (!batch) return
    batch.flushed = true
    if (!batch.isRead && batch.room.length <= mostRoomBytes) this.#spareRoom = batch.room
    else if (this.#readers.has(batch.commit)) this.#remember(batch)
  }

  /** The session's next shares after a batch, oldest first, on disk and not yet there; and whether more follow. */
  positions(session: SessionNumber, after: Commit, limit: number): { found: readonly Position[]; more: boolean } {
    const range = this.#tables.shares.getRange({
      start: [session, after + 1],
      end: [session, Number.MAX_SAFE_INTEGER],
      limit,
    })
    const found = Array.from(range, ({ key, value }) => ({ commit: key[1], ...readShare(value) }))
    if (found.length === limit) return { found, more: true }
    const last = found.at(-1)?.commit ?? after
    for (const batch of [this.#closing, this.#open]) {
      const share = batch && batch.commit > last ? batch.shares.get(session) : undefined
      if (share && share.left > 0) found.push({ commit: batch!.commit, ...share })
    }
    return { found, more: false }
  }

  /** Whether the batch can still leave a session's share out. */
  isOpen(commit: Commit): boolean {
    return commit === this.#open.commit
  }

  /** One message of a share of the open batch is done. */
  doneInOpen(session: SessionNumber): void {
    const share = this.#open.shares.get(session)
    if (share) share.left--
  }

  /** The session has ended: what it has in the open batch need not be written. */
  leaveOpen(session: SessionNumber): void {
    const share = this.#open.shares.get(session)
    if (share) share.left = 0
  }

  /** The session needs nothing more of the batch. */
  pass(session: SessionNumber, commit: Commit): void {
    if (this.isOpen(commit)) return
    const left = (this.#readers.get(commit) ?? this.#countReaders(commit)) - 1
    this.#write({ table: this.#tables.shares, key: [session, commit], value: undefined } as Write)
    if (left > 0) {
      this.#readers.set(commit, left)
      return
    }
    this.#readers.delete(commit)
    this.#forget(commit)
    this.#write({ table: this.#tables.batches, key: commit, value: undefined } as Write)
  }

  /** For a batch of an earlier process: nobody has passed it in this one, so the shares on disk are all there are. */
  #countReaders(commit: Commit): number {
    let readers = 0
    for (const session of this.batch(commit)?.sessions() ?? []) {
      if (this.#tables.shares.doesExist([session, commit])) readers++
    }
    return readers
  }

  #remember(batch: Batch): void {
    this.#remembered.set(batch.commit, batch)
    this.#rememberedBytes += batch.size
    for (const [commit] of this.#remembered) {
      if (this.#rememberedBytes <= rememberedBytes || this.#remembered.size === 1) return
      this.#forget(commit)
    }
  }

  #forget(commit: Commit): void {
    const batch = this.#remembered.get(commit)
    if (!batch) return
    this.#remembered.delete(commit)
    this.#rememberedBytes -= batch.size
  }
}

function writeShare({ first, count, bytes }: Share): Buffer {
  const record = Buffer.allocUnsafe(16)
  record.writeUIntBE(first, 0, 6)
  record.writeUInt32BE(count, 6)
  record.writeUIntBE(bytes, 10, 6)
  return record
}

function readShare(record: Buffer): Share {
  const count = record.readUInt32BE(6)
  return { first: record.readUIntBE(0, 6), count, left: count, bytes: record.readUIntBE(10, 6) }
}
