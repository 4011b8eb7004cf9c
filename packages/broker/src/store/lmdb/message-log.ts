import { type Commit, noCommit } from '../../commit.js'
import type { Message } from '../../message.js'
import type { KeptMessage, QueuedMessage } from '../queue.js'
import type { Bodies } from './bodies.js'
import { BodiesBuilder } from './bodies-record.js'
import { ChunkCopies } from './chunk-copies.js'
import { dueKey, type GroupNumber, readU48, type SessionNumber, sessionKey, shareKey } from './keys.js'
import { readMessage } from './message-record.js'
import { writeCount } from './records.js'
import { mostBytes, Remembered } from './remembered.js'
import { type Gone, RewrittenShares } from './rewritten-shares.js'
import { Share, SlabPool, type Slabs, type Tail, type Unapplied } from './share.js'
import { ShareBuilder, type ShareEntry, ShareReader, shareBytes } from './share-record.js'
import { endOf, type Tables, type Write } from './tables.js'

/** First room of a share beside its message, when its commit has many; when it has few, the room of a whole share. */
const smallRoomBytes = 192
const largeRoomBytes = shareBytes + 4096
const manyShares = 16
/** What a message takes in memory beside its record while it waits for its commit. */
const entryOverheadBytes = 128
/**
 * A share up to this size is gone on with, as long as its session has no connection: each message is written about twice more, and
 * what is read and removed later are a few records instead of one a message.
 */
const mostReopenedBytes = 4_096
/** Bytes and shares read at once for a session that gets on with its queue. */
const pageBytes = 131_072
const pageShares = 64

/** The messages one commit gathers. */
class CommitMessages {
  readonly commit: Commit
  readonly shares = new Map<SessionNumber, Share[]>()
  /** The one that the last message came into: the next is often for the same session. */
  newest: Share | undefined
  bodies: BodiesBuilder | undefined
  readonly slabs: Slabs

  constructor(commit: Commit, slabs: Slabs) {
    this.commit = commit
    this.slabs = slabs
  }
}

/** What the log asks of the store. */
export interface LogKeeper {
  /** All commits up to this one are safe. */
  readonly flushed: Commit
  /** All commits up to this one are in the tables. */
  readonly applied: Commit
  /** Gathers a write into the coming commit. */
  write(write: Write): Commit
  /** So many bytes more wait for the coming commit. */
  charge(bytes: number): void
  /** A share has nothing left before it was ever written. */
  omitted(share: Share): void
  /** A record cannot be read: it is set aside, and told. */
  setAside(table: 'shares', key: Buffer, why: unknown): void
}

/**
 * All queued messages: as runs of one session's, the shares, written by the commit that made them safe and removed when all of
 * a share is done. A message that several sessions have lies in a group of bodies, which goes with its last reader.
 */
export class MessageLog {
  readonly #tables: Tables
  readonly #bodies: Bodies
  readonly #keeper: LogKeeper
  /** Not yet in the tables, oldest first; the last is open. */
  readonly #unapplied: CommitMessages[] = []
  #open: CommitMessages
  #nextGroup: GroupNumber
  #newest: Message | undefined
  #newestBody = -1
  readonly #slabs = new SlabPool()
  readonly #chunks = new ChunkCopies((bytes) => this.#room(bytes))
  readonly #shares = new Remembered<Share>((share) => {
    share.record = undefined
  })
  readonly #rewritten = new RewrittenShares()

  constructor(tables: Tables, bodies: Bodies, firstCommit: Commit, keeper: LogKeeper) {
    this.#tables = tables
    this.#bodies = bodies
    this.#keeper = keeper
    this.#open = new CommitMessages(firstCommit, this.#slabs.begin())
    this.#unapplied.push(this.#open)
    const [newest] = [...tables.bodies.getKeys({ reverse: true, limit: 1 })]
    this.#nextGroup = newest ? readU48(newest, 0) + 1 : 1
  }

  /** The commit that gathers now. */
  get openCommit(): Commit {
    return this.#open.commit
  }

  /**
   * Keeps a message for a session: charges what that takes while it waits, and answers the share it is in.
   * @param tail the session's last share, when that may be gone on with.
   */
  append(session: SessionNumber, number: number, entry: QueuedMessage, tail?: Tail): Share {
    const { message } = entry
    const { heldBytes } = message
    const share = this.#shareFor(session, number, heldBytes, tail)
    const builder = share.builder!
    const before = builder.size + (share.bodies?.size ?? 0)
    if (message.isForMany || message === this.#newest) this.#refer(share, builder, number, entry)
    else {
      if (this.#chunks.mayTake(message)) this.#hold(builder, number, entry)
      else builder.add(number, entry)
      this.#newestBody = -1
    }
    this.#newest = message
    share.count = number - share.first + 1
    share.left++
    share.bytes += heldBytes
    share.due = builder.due
    this.#keeper.charge(builder.size + (share.bodies?.size ?? 0) - before + entryOverheadBytes)
    return share
  }

  /** It is written when the commit is closed, if it is not done by then. */
  #hold(builder: ShareBuilder, number: number, entry: QueuedMessage): void {
    const { message } = entry
    this.#keeper.charge(message.isKept ? message.end - message.topicStart : this.#chunks.take(message))
    builder.hold(number, entry)
  }

  #shareFor(session: SessionNumber, number: number, bytes: number, tail: Tail | undefined): Share {
    const { newest } = this.#open
    if (newest?.session === session && !newest.builder!.isFull) return newest
    const share = this.#lastOf(session, number, bytes, tail)
    this.#open.newest = share
    return share
  }

  #lastOf(session: SessionNumber, number: number, bytes: number, tail: Tail | undefined): Share {
    const open = this.#open
    const own = open.shares.get(session)
    const last = own?.[own.length - 1]
    if (last && !last.builder!.isFull) return last
    const share = (tail && this.#reopened(session, number, bytes, tail)) ?? this.#newShare(session, number, bytes)
    share.bodies = open.bodies
    if (own) own.push(share)
    else open.shares.set(session, [share])
    return share
  }

  #newShare(session: SessionNumber, number: number, bytes: number): Share {
    const { commit, shares } = this.#open
    const share = new Share(session, number, commit)
    const room = shares.size < manyShares ? largeRoomBytes : smallRoomBytes + bytes
    share.builder = new ShareBuilder(session, number, this.#room(room))
    return share
  }

  /** A small share that an earlier commit wrote, to be written again with what comes now. `undefined`: it is left as it is. */
  #reopened(session: SessionNumber, number: number, bytes: number, tail: Tail): Share | undefined {
    const { first, end, size, commit } = tail
    if (end !== number || size > mostReopenedBytes || commit > this.#keeper.applied) return undefined
    const record = this.#wholeRecord(session, first)
    if (!record) return undefined
    const share = new Share(session, first, this.#open.commit)
    const builder = new ShareBuilder(session, first, this.#room(record.bytes.length + smallRoomBytes + bytes))
    builder.copyAll(record)
    share.builder = builder
    share.left = record.entries
    share.bytes = record.charged
    share.groups = record.groups
    share.onDisk = { end, messages: record.entries, bytes: record.charged, due: record.due }
    this.#keeper.charge(builder.size)
    return share
  }

  /** `undefined`: it is not there, or damaged, which is told when its session reads it. */
  #wholeRecord(session: SessionNumber, first: number): ShareReader | undefined {
    const value = this.#tables.shares.get(shareKey(session, first))
    if (!value) return undefined
    try {
      const record = new ShareReader(session, first, value)
      return record.isWhole ? record : undefined
    } catch {
      return undefined
    }
  }

  #room(bytes: number): Uint8Array {
    return this.#slabs.take(this.#open.slabs, bytes)
  }

  /** The message is for several: it lies among the bodies of the commit, once. */
  #refer(share: Share, builder: ShareBuilder, number: number, entry: QueuedMessage): void {
    const open = this.#open
    open.bodies ??= new BodiesBuilder()
    share.bodies = open.bodies
    if (entry.message !== this.#newest || this.#newestBody < 0) this.#newestBody = open.bodies.add(entry.message)
    open.bodies.goesTo(this.#newestBody, share.session)
    builder.addReference(number, entry, this.#newestBody)
  }

  /** Closes the open commit: what has to be written for it. Shares that are done already are left out. */
  close(next: Commit): readonly Write[] {
    const { shares, bodies } = this.#open
    const writes: Write[] = []
    const readers = new Map<GroupNumber, number>()
    if (bodies) this.#nextGroup = bodies.group(this.#nextGroup)
    for (const own of shares.values()) {
      for (const share of own) {
        if (share.left > 0) this.#writeShare(share, readers, writes)
        else this.#omit(share)
      }
    }
    for (const [key, value] of bodies?.records(readers) ?? []) writes.push({ table: 'bodies', key, value })
    for (const [group, count] of readers) this.#bodies.begin(group, count, this.#open.commit)
    this.#open = new CommitMessages(next, this.#slabs.begin())
    this.#unapplied.push(this.#open)
    this.#newest = undefined
    this.#newestBody = -1
    this.#chunks.begin()
    return writes
  }

  /** All messages of a share are done before it was written: it is not written, and what an earlier commit has written of it is removed. */
  #omit(share: Share): void {
    if (share.onDisk) this.#removeRecord(share, share.onDisk.due)
    this.#keeper.omitted(share)
  }

  #writeShare(share: Share, readers: Map<GroupNumber, number>, writes: Write[]): void {
    const { session, first, count, bytes, bodies } = share
    const builder = share.builder!
    const placeOf = (body: number) => bodies!.placeOf(body)
    const groups = new Set<GroupNumber>()
    if (bodies) {
      for (let index = 0; index < builder.count; index++) {
        const body = builder.bodyAt(index)
        if (body >= 0) groups.add(bodies.placeOf(body).group)
      }
    }
    share.groups = [...share.groups, ...groups]
    for (const group of groups) readers.set(group, (readers.get(group) ?? 0) + 1)
    const value = builder.finish(count, bytes, placeOf, share.groups)
    writes.push({ table: 'shares', key: shareKey(session, first), value })
    const dueBefore = share.onDisk?.due ?? 0
    if (dueBefore > 0 && dueBefore !== share.due) writes.push(dueWrite(share, dueBefore, false))
    if (share.due > 0) writes.push(dueWrite(share, share.due, true))
  }

  /** All commits up to this one are in the tables. */
  applied(commit: Commit): void {
    while (this.#unapplied[0]!.commit <= commit) this.#settle(this.#unapplied.shift()!)
    this.#rewritten.applied(commit, (share) => this.#shares.unpin(share))
    this.#bodies.applied(commit)
  }

  #settle(done: CommitMessages): void {
    for (const own of done.shares.values()) {
      for (const share of own) {
        share.builder = undefined
        share.bodies = undefined
      }
    }
    this.#slabs.giveBack(done.slabs)
  }

  /** The session's next shares with messages from `number` on, oldest first; and whether more may follow. */
  page(session: SessionNumber, number: number): { readonly found: readonly Share[]; readonly more: boolean } {
    const found: Share[] = []
    const onDisk = this.#onDisk(session, number, found)
    if (onDisk) return { found, more: true }
    let after = found.at(-1)?.end ?? number
    for (const { shares } of this.#unapplied) {
      for (const share of shares.get(session) ?? []) {
        if (share.end <= after && share.count > 0 && found.some(({ first }) => first === share.first)) continue
        if (share.end <= number || share.left === 0) continue
        found.push(share)
        after = share.end
      }
    }
    return { found, more: false }
  }

  /** True: the page is full. */
  #onDisk(session: SessionNumber, number: number, found: Share[]): boolean {
    const prefix = sessionKey(session)
    const key = shareKey(session, number)
    const [covering] = [...this.#tables.shares.getKeys({ start: key, end: prefix, reverse: true, limit: 1 })]
    const start = covering?.subarray(0, 4).equals(prefix) ? covering : key
    const unapplied = this.#unapplied.flatMap(({ shares }) => shares.get(session) ?? [])
    let bytes = 0
    for (const { key: at, value } of this.#tables.shares.getRange({ start, end: endOf(prefix) })) {
      const first = readU48(at, 4)
      if (unapplied.some((share) => share.first === first)) continue // its commit is being written, or just was
      const rewritten = this.#rewritten.find(session, first)
      const share = rewritten ? rewritten.share : this.opened(session, first, value)
      if (!share || share.end <= number || (rewritten && !share.record)) continue // of those without a record nothing is left
      found.push(share)
      bytes += value.length
      if (bytes >= pageBytes || found.length >= pageShares) return true
    }
    return false
  }

  /** A share as it is on disk; `undefined`: it cannot be read, and was set aside. */
  opened(session: SessionNumber, first: number, value: Buffer): Share | undefined {
    try {
      const share = shareOf(new ShareReader(session, first, value))
      this.#shares.add(share, value.length)
      return share
    } catch (error) {
      this.#keeper.setAside('shares', shareKey(session, first), error)
      return undefined
    }
  }

  /**
   * The record of a share, as it is once all that is under way is in the tables. `undefined`: it is gone.
   * @throws DamagedError
   */
  latestRecord(session: SessionNumber, first: number): ShareReader | undefined {
    const rewritten = this.#rewritten.find(session, first)
    if (rewritten) return rewritten.share?.record
    const value = this.#tables.shares.get(shareKey(session, first))
    return value && new ShareReader(session, first, value)
  }

  /**
   * A share is being written anew without what has expired: from now on that is what is read of it. Answers what is left.
   * @param left `undefined`: nothing.
   */
  rewrote(session: SessionNumber, first: number, gone: Gone, left: ShareReader | undefined): Share | undefined {
    const before = this.#rewritten.find(session, first)?.share
    if (before) this.#shares.delete(before)
    const share = left && shareOf(left)
    if (share) this.#shares.pin(share, left.bytes.length)
    this.#rewritten.add({ session, first, share, commit: this.#open.commit, ...gone })
    return share
  }

  /** Whether more shares may be rewritten before those that were are in the tables. */
  get mayRewriteMore(): boolean {
    return this.#shares.pinnedBytes < mostBytes / 2
  }

  /** Numbers of the share that have a message, for those that are not done to be counted. */
  *numbersOf(share: Share): Generator<number, undefined> {
    if (share.builder) {
      for (let at = 0; at < share.builder.count; at++) yield share.builder.numberAt(at)
      return
    }
    const record = this.#recordOf(share)
    for (let at = 0; at < (record?.entries ?? 0); at++) yield record!.numberAt(at)
  }

  /** The first number of the share, from `number` on, that has a message; `undefined`: none has. */
  nextIn(share: Share, number: number): number | undefined {
    if (share.builder) return share.builder.numberFrom(number)
    const record = this.#recordOf(share)
    if (!record) return undefined
    const index = record.indexFrom(number)
    return index < record.entries ? record.numberAt(index) : undefined
  }

  /**
   * The message with this number in the share; `undefined`: it is gone.
   * @throws what is wrong with it, when it cannot be read.
   */
  read(share: Share, number: number): KeptMessage | undefined {
    const { builder } = share
    const commit = share.commit > this.#keeper.flushed ? share.commit : noCommit
    if (builder) {
      const index = builder.indexOf(number)
      if (index < 0) return undefined
      const held = builder.heldAt(index)
      if (held) return keptAs(held, held.message.keep(), commit)
      const body = builder.bodyAt(index)
      const entry = builder.entryAt(index)
      const message = body < 0 ? this.#copyOf(builder.room, entry) : share.bodies!.messageAt(body)
      return keptAs(entry, message, commit)
    }
    const record = this.#recordOf(share)
    if (!record) return undefined
    const index = record.indexFrom(number)
    if (index >= record.entries || record.numberAt(index) !== number) return undefined
    const entry = record.entryAt(index)
    return keptAs(entry, this.#messageOf(record.bytes, entry), commit)
  }

  /** Copies a message out of a slab, which is used again, and which a message of a few bytes must not keep in memory. */
  #copyOf(room: Uint8Array, entry: ShareEntry): Message {
    if (!entry.body) return this.#messageOf(room, entry)
    const { start, end } = entry.body
    return readMessage(room.slice(start, end), 0, end - start)
  }

  #messageOf(bytes: Uint8Array, { body, place }: ShareEntry): Message {
    return place ? this.#bodies.group(place.group).messageAt(place.index) : readMessage(bytes, body!.start, body!.end)
  }

  /** The record of a share on disk. `undefined`: it is not there, or cannot be read and was set aside. */
  #recordOf(share: Share): ShareReader | undefined {
    if (share.record) {
      this.#shares.use(share)
      return share.record
    }
    const key = shareKey(share.session, share.first)
    const value = this.#tables.shares.get(key)
    if (!value) return undefined
    try {
      share.record = new ShareReader(share.session, share.first, value)
      this.#shares.add(share, value.length)
    } catch (error) {
      this.#keeper.setAside('shares', key, error)
    }
    return share.record
  }

  /** The session has ended: what it has in the open commit need not be written. */
  leaveOpen(session: SessionNumber): void {
    for (const share of this.#open.shares.get(session) ?? []) {
      share.left = 0
      share.onDisk = undefined // it goes with all that is on disk
    }
  }

  /** Whether a share is not in the tables yet. */
  isUnapplied(session: SessionNumber, first: number): boolean {
    return this.#unapplied.some(({ shares }) => shares.get(session)?.some((share) => share.first === first))
  }

  /** What a session has that is not on disk yet: from which number on, and how much; less what is there and has expired. */
  unapplied(session: SessionNumber): Unapplied {
    let [first, messages, bytes] = [Number.POSITIVE_INFINITY, 0, 0]
    for (const { shares } of this.#unapplied) {
      for (const share of shares.get(session) ?? []) {
        const { onDisk } = share
        first = Math.min(first, onDisk?.end ?? share.first)
        messages += Math.max(0, share.left - (onDisk?.messages ?? 0))
        bytes += share.bytes - (onDisk?.bytes ?? 0)
      }
    }
    const gone = this.#rewritten.goneFrom(session)
    return { first, messages: messages - gone.messages, bytes: bytes - gone.bytes }
  }

  /** Removes a share: all of its messages are done. */
  remove(share: Share): void {
    if (share.commit === this.#open.commit) return // it will not be written
    this.#shares.delete(share)
    share.record = undefined
    this.#removeRecord(share, share.due)
  }

  #removeRecord(share: Share, due: number): void {
    this.#keeper.write({ table: 'shares', key: shareKey(share.session, share.first), value: undefined })
    if (due > 0) this.#keeper.write(dueWrite(share, due, false))
    this.#bodies.leave(share.groups)
  }
}

/** As it was stored. */
function shareOf(record: ShareReader): Share {
  const share = new Share(record.session, record.first, noCommit)
  share.count = record.covered
  share.left = record.entries
  share.bytes = record.charged
  share.due = record.due
  share.groups = record.groups
  share.record = record
  return share
}

function dueWrite({ session, first }: Share, due: number, put: boolean): Write {
  const key = dueKey(due, session, first)
  return { table: 'due', key, value: put ? writeCount('due', key, 0) : undefined }
}

function keptAs(
  { qos, retain, identifiers, shared = false }: ShareEntry | QueuedMessage,
  message: Message,
  commit: Commit,
): KeptMessage {
  return { message, qos, retain, identifiers, shared, commit }
}
