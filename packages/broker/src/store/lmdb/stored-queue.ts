import type { Commit } from '../../commit.js'
import type { QueueTotals } from '../../metrics.js'
import type { KeptMessage, Queue, QueuedMessage } from '../queue.js'
import type { OutgoingSource } from '../store.js'
import type { SessionNumber } from './batch.js'
import type { MessageLog, Position } from './message-log.js'

/** Positions held in memory ahead of what has been sent: an offline session costs disk, not memory. */
const heldPositions = 64

/** What a queue holds when it is opened. */
export type Held = Readonly<QueueTotals>

/**
 * A session's messages on disk: shares of batches, read back page by page as deliveries get to them. In memory are only
 * the positions of what is being sent, and of a little more.
 */
export class StoredQueue implements Queue {
  bytes = 0
  #messages = 0
  /** Set by the session: which numbers are done. */
  outgoing: OutgoingSource | undefined
  readonly #session: SessionNumber
  readonly #log: MessageLog
  readonly #totals: QueueTotals
  readonly #changed: () => Commit
  #positions: Position[] = []
  /** The newest commit whose share is held, or was. */
  #seen: Commit = 0
  /** Whether nothing lies behind the last position held. */
  #complete: boolean

  /**
   * @param totals of the broker.
   * @param held what an earlier process left in it; `undefined`: it is new.
   */
  constructor(
    session: SessionNumber,
    log: MessageLog,
    totals: QueueTotals,
    held: Held | undefined,
    changed: () => Commit,
  ) {
    this.#session = session
    this.#log = log
    this.#totals = totals
    this.#complete = held === undefined
    this.#changed = changed
    if (held) this.#count(held.messages, held.bytes)
  }

  put(number: number, entry: QueuedMessage): Commit {
    const commit = this.#log.append(this.#session, number, entry)
    const bytes = entry.message.payloadBytes
    this.#count(1, bytes)
    if (this.#complete) {
      const last = this.#positions.at(-1)
      if (last?.commit === commit) {
        last.count++
        last.left++
        last.bytes += bytes
      } else if (this.#positions.length < heldPositions) {
        this.#positions.push({ commit, first: number, count: 1, left: 1, bytes })
        this.#seen = commit
      } else this.#complete = false
    }
    return this.#changed()
  }

  get(number: number): KeptMessage | undefined {
    const position = this.#find(number)
    return position && this.#log.batch(position.commit)?.at(this.#session, number - position.first)
  }

  release(_number: number): Commit {
    return this.#changed() // the body stays until PUBCOMP: its share goes as a whole
  }

  delete(number: number): void {
    const position = this.#find(number)
    this.#changed()
    if (!position) return
    position.left--
    this.#count(-1, 0)
    if (this.#log.isOpen(position.commit)) this.#log.doneInOpen(this.#session)
    else if (position.left === 0) this.#pass(position)
  }

  /** The open batch was closed: a share that was done before needs nothing more. */
  closed(commit: Commit): void {
    const at = this.#positions.findIndex((position) => position.commit === commit && position.left === 0)
    if (at < 0) return
    this.#count(0, -this.#positions[at]!.bytes)
    this.#positions.splice(at, 1)
  }

  /** Its session has ended, and all that is in it with it. */
  clear(): void {
    this.#count(-this.#messages, -this.bytes)
  }

  #count(messages: number, bytes: number): void {
    this.#messages += messages
    this.bytes += bytes
    this.#totals.messages += messages
    this.#totals.bytes += bytes
  }

  #pass(position: Position): void {
    this.#count(0, -position.bytes)
    this.#positions.splice(this.#positions.indexOf(position), 1)
    this.#log.pass(this.#session, position.commit)
  }

  #find(number: number): Position | undefined {
    for (;;) {
      const found = this.#search(number)
      if (found || this.#complete) return found
      const last = this.#positions.at(-1)
      if (last && number < last.first) return undefined
      this.#loadMore()
    }
  }

  /** Positions are in the order of their numbers. */
  #search(number: number): Position | undefined {
    let low = 0
    let high = this.#positions.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const position = this.#positions[middle]!
      if (number < position.first) high = middle - 1
      else if (number >= position.first + position.count) low = middle + 1
      else return position
    }
    return undefined
  }

  #loadMore(): void {
    const { found, more } = this.#log.positions(this.#session, this.#seen, heldPositions)
    this.#complete = !more
    for (const position of found) {
      this.#seen = position.commit
      position.left = this.#countLeft(position)
      this.#positions.push(position)
      if (position.left === 0) this.#pass(position)
    }
  }

  #countLeft({ first, count }: Position): number {
    let left = 0
    for (let number = first; number < first + count; number++) if (!this.outgoing?.isDone(number)) left++
    return left
  }
}
