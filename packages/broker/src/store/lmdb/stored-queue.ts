import { type Commit, noCommit } from '../../commit.js'
import type { QueueTotals } from '../../metrics.js'
import type { KeptMessage, Queue, QueuedMessage } from '../queue.js'
import type { OutgoingSource } from '../store.js'
import { isUnread } from './disk-errors.js'
import type { SessionNumber } from './keys.js'
import type { MessageLog } from './message-log.js'
import type { Gone } from './rewritten-shares.js'
import type { Share, Tail } from './share.js'

/** Shares held ahead of what is being sent: the queue behind them is on disk alone. */
const heldShares = 64

/** What a queue holds when it is opened. */
export type Totals = Readonly<QueueTotals>

/** Whose queue it is. */
export interface QueueOwner {
  /** Where its deliveries stand is written with the coming commit. */
  changed(): Commit
}

/** What a queue asks of the store. */
export interface QueueKeeper {
  /** All commits up to this one are in the tables. */
  readonly applied: Commit
  readonly latest: Commit
  readonly log: MessageLog
  /** What the queues of all sessions hold. */
  readonly queued: QueueTotals
  /** A message of a session cannot be read. */
  unreadable(session: SessionNumber, number: number, why: unknown): void
  /** So many messages of a session are not to be found. */
  missing(session: SessionNumber, messages: number): void
}

/**
 * A session's messages on disk: shares, read back page by page as deliveries get to them. In memory are only those of what
 * is being sent, and a few more; of a session without a connection, none.
 */
export class StoredQueue implements Queue {
  bytes = 0
  messages = 0
  /** Whose numbers these are: which are done. */
  #outgoing: OutgoingSource | undefined
  readonly #session: SessionNumber
  readonly #keeper: QueueKeeper
  readonly #owner: QueueOwner
  /** In the order of their numbers, without gaps but for numbers that are gone. Made when there is something to hold. */
  #shares: Share[] | undefined
  /** Whether nothing lies behind the last share held. */
  #complete: boolean
  /** The number behind what was read from the disk; 0: nothing was. */
  #seen = 0
  /** Written since it holds nothing. */
  #tail: Tail | undefined
  /** First numbers of shares that were removed, until the commit that does it is in the tables. */
  #removed: Set<number> | undefined
  #removedIn: Commit = noCommit

  /** @param held what an earlier process left in it; `undefined`: it is new. */
  constructor(session: SessionNumber, keeper: QueueKeeper, held: Totals | undefined, owner: QueueOwner) {
    this.#session = session
    this.#keeper = keeper
    this.#complete = held === undefined
    this.#owner = owner
    if (held) this.#count(held.messages, held.bytes)
  }

  get outgoing(): OutgoingSource | undefined {
    return this.#outgoing
  }

  serves(deliveries: OutgoingSource): void {
    this.#outgoing = deliveries
  }

  put(number: number, entry: QueuedMessage): Commit {
    const isAtRest = this.#shares === undefined && !this.#complete
    const share = this.#keeper.log.append(this.#session, number, entry, isAtRest ? this.#tail : undefined)
    this.#count(1, entry.message.heldBytes)
    if (this.#complete) this.#hold(share)
    else if (isAtRest) this.#tail = tailOf(share)
    return this.#owner.changed()
  }

  #hold(share: Share): void {
    this.#shares ??= []
    const { length } = this.#shares
    if (length > 0 && this.#shares[length - 1] === share) return
    if (length < heldShares) this.#shares.push(share)
    else this.#complete = false
  }

  get(number: number): KeptMessage | undefined {
    const share = this.#find(number)
    if (!share || share.lost?.has(number)) return undefined
    try {
      return this.#keeper.log.read(share, number)
    } catch (error) {
      if (isUnread(error)) throw error // it is there all the same
      this.#lose(share, number, error)
      return undefined
    }
  }

  next(number: number, tail: number): number {
    for (let at = number; at < tail; ) {
      const share = this.#find(at) ?? this.#shares?.find(({ end }) => end > at)
      if (!share) return tail
      const found = this.#keeper.log.nextIn(share, Math.max(at, share.first))
      if (found !== undefined) return found
      at = share.end
    }
    return tail
  }

  peek(number: number, tail: number): ReturnType<Queue['peek']> {
    const entries: (readonly [number, KeptMessage])[] = []
    const { found, more } = this.#keeper.log.page(this.#session, number)
    for (const share of found) if (!this.isRemoved(share.first)) this.#peekInto(entries, share, number)
    const next = found.reduce((end, share) => Math.max(end, share.end), number)
    return { entries, next: more && next > number ? next : tail }
  }

  #peekInto(entries: (readonly [number, KeptMessage])[], share: Share, from: number): void {
    for (const number of this.#keeper.log.numbersOf(share)) {
      if (number < from || this.outgoing?.isDone(number)) continue
      try {
        const entry = this.#keeper.log.read(share, number)
        if (entry) entries.push([number, entry])
      } catch {
        // it is told when it is to be sent
      }
    }
  }

  release(_number: number): Commit {
    return this.#owner.changed() // the message stays until PUBCOMP: its share goes as a whole
  }

  delete(number: number): void {
    const share = this.#find(number)
    this.#owner.changed()
    if (share) this.#done(share, number)
  }

  /** The session has no connection: what it holds can be read again when there is one. */
  rest(): void {
    this.#shares = undefined
    this.#tail = undefined
    this.#seen = 0
    this.#complete = false
  }

  /** A share had nothing left when its commit was closed: it was not written. */
  omitted(share: Share): void {
    this.#count(0, -share.bytes)
    this.#drop(share)
    if (share.onDisk) this.#noteRemoved(share.first)
  }

  /** Its session has ended, and all that is in it with it. */
  clear(): void {
    this.#count(-this.messages, -this.bytes)
  }

  /**
   * So many messages of the share that begins with this number, never sent, have expired: it is being written anew.
   * @param left what is left of it; `undefined`: nothing.
   */
  shortened(first: number, { messages, bytes }: Gone, left: Share | undefined): void {
    this.#count(-messages, -bytes)
    this.#owner.changed()
    if (this.#tail?.first === first) this.#tail.commit = this.#keeper.latest
    const share = this.#held(first)
    if (!share) return
    if (!left) return this.#drop(share)
    left.lost = share.lost
    left.left = this.#countLeft(left)
    this.#shares!.splice(this.#shares!.indexOf(share), 1, left)
    if (left.left === 0) this.#pass(left)
  }

  /** The share that begins with this number is looked at again in this second; 0: it is not. */
  postponed(first: number, due: number): void {
    const share = this.#held(first)
    if (share) share.due = due
  }

  #held(first: number): Share | undefined {
    return this.#shares?.find((one) => one.first === first)
  }

  /** It is done, though the disk may not know yet. */
  isRemoved(first: number): boolean {
    return this.#removedIn > this.#keeper.applied && this.#removed?.has(first) === true
  }

  settle(): void {
    if (this.messages === 0) return
    const { messages } = this
    this.#count(-messages, 0)
    this.#keeper.missing(this.#session, messages)
    this.#owner.changed()
  }

  #count(messages: number, bytes: number): void {
    this.messages += messages
    this.bytes += bytes
    this.#keeper.queued.messages += messages
    this.#keeper.queued.bytes += bytes
  }

  #done(share: Share, number: number): void {
    share.left--
    share.builder?.done(number)
    this.#count(-1, 0)
    if (share.left === 0 && share.commit !== this.#openCommit) this.#pass(share)
  }

  get #openCommit(): Commit {
    return this.#keeper.log.openCommit
  }

  #lose(share: Share, number: number, why: unknown): void {
    share.lost ??= new Set()
    share.lost.add(number)
    this.#keeper.unreadable(this.#session, number, why)
    this.#owner.changed()
    this.#done(share, number)
  }

  #pass(share: Share): void {
    this.#count(0, -share.bytes)
    this.#drop(share)
    this.#keeper.log.remove(share)
    this.#noteRemoved(share.first)
  }

  #drop(share: Share): void {
    const at = this.#shares?.indexOf(share) ?? -1
    if (at >= 0) this.#shares!.splice(at, 1)
  }

  #noteRemoved(first: number): void {
    if (this.#removedIn <= this.#keeper.applied) this.#removed = undefined
    this.#removed ??= new Set()
    this.#removed.add(first)
    this.#removedIn = this.#keeper.latest
  }

  #find(number: number): Share | undefined {
    for (;;) {
      const found = this.#search(number)
      if (found || this.#complete) return found
      const last = this.#shares?.at(-1)
      if (last && number < last.first) return undefined
      this.#loadMore(Math.max(this.#seen, last?.end ?? 0) || Math.min(number, this.#head))
    }
  }

  get #head(): number {
    return this.#outgoing?.head ?? 1
  }

  /** Shares are in the order of their numbers. */
  #search(number: number): Share | undefined {
    const shares = this.#shares
    if (!shares) return undefined
    let low = 0
    let high = shares.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const share = shares[middle]!
      if (number < share.first) high = middle - 1
      else if (number >= share.end) low = middle + 1
      else return share
    }
    return undefined
  }

  #loadMore(from: number): void {
    if (this.#removedIn <= this.#keeper.applied) this.#removed = undefined
    const { found, more } = this.#keeper.log.page(this.#session, from)
    this.#complete = !more
    this.#seen = found.at(-1)?.end ?? from
    this.#shares ??= []
    for (const share of found) {
      if (this.#removed?.has(share.first)) continue
      share.left = this.#countLeft(share)
      this.#shares.push(share)
    }
    for (const share of found)
      if (share.left === 0 && share.commit !== this.#openCommit && this.#shares.includes(share)) this.#pass(share)
  }

  #countLeft(share: Share): number {
    let left = 0
    for (const number of this.#keeper.log.numbersOf(share)) {
      if (!this.#outgoing?.isDone(number) && !share.lost?.has(number)) left++
    }
    return left
  }
}

function tailOf({ first, end, builder, commit }: Share): Tail {
  return { first, end, size: builder!.size, commit }
}
