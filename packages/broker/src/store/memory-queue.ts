import { Account } from '../accounts.js'
import { type Commit, noCommit } from '../commit.js'
import type { Owner } from '../faults.js'
import type { QueueTotals } from '../metrics.js'
import { type Chore, Chores } from '../time/chores.js'
import type { KeptMessage, Queue, QueuedMessage } from './queue.js'
import type { OutgoingSource } from './store.js'

/** Messages that somebody who looks is shown before others have their turn. */
const peekedAtOnce = 64

/** Where queues in memory are counted, all together. */
export interface MemoryAccounts {
  readonly totals: QueueTotals
  readonly stored: Account
  readonly expiry: MemoryExpiry
}

function countedAlone(): MemoryAccounts {
  return { totals: { messages: 0, bytes: 0 }, stored: new Account(), expiry: new MemoryExpiry(new Chores()) }
}

/** A queue that lives as long as the process. */
export class MemoryQueue implements Queue, Expiring {
  /** Whose numbers these are: which are done. */
  #outgoing: OutgoingSource | undefined
  /** Made when the first message comes: most sessions hold none most of the time. */
  #entries: Map<number, KeptMessage> | undefined
  readonly #accounts: MemoryAccounts
  /** When it is looked through for what has expired, in seconds; 0: nothing in it expires, as far as is known. */
  dueAt = 0
  bytes = 0

  /** @param accounts of the broker. Default: it is counted alone. */
  constructor(accounts: MemoryAccounts = countedAlone()) {
    this.#accounts = accounts
  }

  get messages(): number {
    return this.#entries?.size ?? 0
  }

  get outgoing(): OutgoingSource | undefined {
    return this.#outgoing
  }

  serves(deliveries: OutgoingSource): void {
    this.#outgoing = deliveries
  }

  put(number: number, { message, qos, retain, identifiers, shared = false }: QueuedMessage): Commit {
    message.keep()
    this.#entries ??= new Map()
    this.#entries.set(number, { message, qos, retain, identifiers, shared, commit: noCommit })
    this.#count(1, message.heldBytes, message.charge())
    if (message.expiresAt !== Number.POSITIVE_INFINITY) this.#accounts.expiry.add(this, message.expiresAt)
    return noCommit
  }

  get(number: number): KeptMessage | undefined {
    return this.#entries?.get(number)
  }

  next(number: number, tail: number): number {
    if (this.messages === 0) return tail
    if (this.#entries!.has(number)) return number
    // Entries are in the order of their numbers: where a lot is gone, what is left is looked through instead.
    let at = number + 1
    for (const most = Math.min(tail, number + this.messages); at < most; at++) if (this.#entries!.has(at)) return at
    for (const one of this.#entries!.keys()) if (one >= number) return one
    return tail
  }

  peek(number: number, tail: number): ReturnType<Queue['peek']> {
    const entries: (readonly [number, KeptMessage])[] = []
    let at = this.next(number, tail)
    for (; at < tail && entries.length < peekedAtOnce; at = this.next(at + 1, tail)) entries.push([at, this.get(at)!])
    return { entries, next: at }
  }

  release(number: number): Commit {
    this.delete(number) // after PUBREC the message itself is not needed again [MQTT-4.3.3-1]
    return noCommit
  }

  delete(number: number): void {
    const entry = this.#entries?.get(number)
    if (!entry) return
    this.#entries!.delete(number)
    this.#count(-1, -entry.message.heldBytes, -entry.message.letGo())
  }

  rest(): void {}

  settle(): void {}

  /** Its session has ended, and all that is in it with it. */
  clear(): void {
    for (const { message } of this.#entries?.values() ?? []) this.#count(-1, -message.heldBytes, -message.letGo())
    this.#entries = undefined
  }

  /** Removes what has expired and was never sent; the last value is when to look again, in ms. */
  *clearExpired(now: number): Chore {
    let next = Number.POSITIVE_INFINITY
    let looked = 0
    for (const [number, { message }] of this.#entries ?? []) {
      if (++looked % 32 === 0) yield 2
      if (message.expiresAt > now) next = Math.min(next, message.expiresAt)
      else if (this.#outgoing?.mayExpire(number)) {
        this.delete(number)
        this.#outgoing.onExpired(1)
      }
    }
    if (next !== Number.POSITIVE_INFINITY) this.#accounts.expiry.add(this, Math.max(next, now + (looked >> 5)))
  }

  #count(messages: number, bytes: number, stored: number): void {
    const { totals, stored: account } = this.#accounts
    this.bytes += bytes
    totals.messages += messages
    totals.bytes += bytes
    account.add(stored)
  }
}

/** Something whose messages expire: a queue in memory. */
interface Expiring {
  /** When it is looked through, in seconds; 0: nothing in it expires, as far as is known. */
  dueAt: number
  /** Whose it is. */
  readonly outgoing?: Owner | undefined
  /** Removes what has expired and was never sent, and says again when to look. */
  clearExpired(now: number): Chore
}

/**
 * Which queues in memory have something that expires, by the second: each queue once, for the first. A queue is looked
 * through when that has come, a few messages a turn.
 */
export class MemoryExpiry {
  readonly #due = new Map<number, Set<Expiring>>()
  #next = Number.POSITIVE_INFINITY
  readonly #chores: Chores

  constructor(chores: Chores) {
    this.#chores = chores
  }

  add(queue: Expiring, expiresAt: number): void {
    const second = Math.ceil(expiresAt / 1000)
    if (queue.dueAt > 0 && queue.dueAt <= second) return
    if (queue.dueAt > 0) this.#remove(queue)
    queue.dueAt = second
    const others = this.#due.get(second)
    if (others) others.add(queue)
    else this.#due.set(second, new Set([queue]))
    if (second < this.#next) this.#next = second
  }

  /** @param now in ms. */
  clear(now: number): void {
    if (this.#next * 1000 > now) return
    const seconds = [...this.#due.keys()].filter((second) => second * 1000 <= now)
    for (const second of seconds) {
      const queues = this.#due.get(second)!
      this.#due.delete(second)
      this.#chores.add(this.#clearAll(queues, now))
    }
    this.#next = Number.POSITIVE_INFINITY
    for (const second of this.#due.keys()) this.#next = Math.min(this.#next, second)
  }

  /** What fails in one queue is no reason to leave the others as they are. */
  *#clearAll(queues: Iterable<Expiring>, now: number): Chore {
    for (const queue of queues) {
      queue.dueAt = 0
      try {
        yield* queue.clearExpired(now)
      } catch (error) {
        this.#chores.failed(error, queue.outgoing)
      }
      yield 1
    }
  }

  #remove(queue: Expiring): void {
    const others = this.#due.get(queue.dueAt)
    others?.delete(queue)
    if (others?.size === 0) this.#due.delete(queue.dueAt)
  }
}
