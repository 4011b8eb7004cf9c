import { Account } from '../accounts.js'
import { type Commit, noCommit } from '../commit.js'
import type { QueueTotals } from '../metrics.js'
import { type Chore, Chores } from '../time/chores.js'
import { type Expiring, MemoryExpiry } from './memory-expiry.js'
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
