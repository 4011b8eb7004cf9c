import { Account } from '../accounts.js'
import type { Limits } from '../limits.js'
import type { Message } from '../message.js'
import { SortedNames } from '../sorted-names.js'
import { Heap } from '../time/heap.js'
import { isSystemTopic } from './system-topics.js'
import { matchFilter, TopicTree } from './topic-tree.js'

type RetainedLimits = Pick<Limits, 'maxRetainedMessages' | 'maxRetainedBytes'>

interface Retained {
  message: Message
  /** Rises with every message kept. */
  sequence: number
  /** Its index in the heap of messages that expire; -1: it never expires. */
  at: number
}

/**
 * Retained messages one after another. Each `next` is a small piece of work: `undefined` says that nothing was found in this
 * one, and that there is more to look at.
 */
export type RetainedWalk = Iterator<Message | undefined, undefined>

/** The retained message of each topic (section 3.3.1.3). The broker's own, under `$SYS`, are neither counted nor bounded. */
export class RetainedMessages {
  readonly #topics = new TopicTree<Retained>()
  readonly #limits: RetainedLimits
  /** Those that expire some day, the next of them first. */
  readonly #expiring = new Heap<Retained>(
    (one, other) => one.message.expiresAt < other.message.expiresAt,
    (entry, at) => {
      entry.at = at
    },
  )
  /** The topics of all retained messages. */
  readonly names: SortedNames = new SortedNames()
  #sequence = 0
  count = 0
  bytes = 0

  readonly #stored: Account
  readonly #inMemoryAlone: boolean

  /**
   * @param stored the account of all that is kept: when that is full, nothing more is retained.
   * @param inMemoryAlone no store has them too, which counts them there.
   */
  constructor(limits: RetainedLimits, stored: Account = new Account(), inMemoryAlone = true) {
    this.#limits = limits
    this.#stored = stored
    this.#inMemoryAlone = inMemoryAlone
  }

  get(topic: string): Message | undefined {
    return this.#topics.get(topic)?.message
  }

  /** Keeps the message in place of an older one. False: there is no room for it; the older one is then removed too. */
  set(message: Message): boolean {
    if (isSystemTopic(message.topic)) {
      this.#put(message)
      return true
    }
    const known = this.#topics.get(message.topic)
    const more = message.heldBytes - (known?.message.heldBytes ?? 0)
    const bytes = this.bytes + more
    const { maxRetainedMessages, maxRetainedBytes } = this.#limits
    const isFull = this.count + (known ? 0 : 1) > maxRetainedMessages || bytes > maxRetainedBytes
    if (isFull || (more > 0 && !this.#stored.hasRoomFor(more))) {
      this.delete(message.topic) // better none than one that is no longer true
      return false
    }
    if (!known) this.count++
    this.bytes = bytes
    if (this.#inMemoryAlone) this.#stored.add(message.charge() - (known?.message.letGo() ?? 0))
    this.#put(message)
    return true
  }

  #put(message: Message): void {
    const entry = this.#topics.getOrSet(message.topic, () => {
      this.names.add(message.topic)
      return { message, sequence: 0, at: -1 }
    })
    this.#stays(entry)
    entry.message = message.keep()
    entry.sequence = ++this.#sequence
    if (message.expiresAt !== Number.POSITIVE_INFINITY) this.#expiring.add(entry)
  }

  /** Takes an entry out of the heap of messages that expire. */
  #stays(entry: Retained): void {
    if (entry.at >= 0) this.#expiring.removeAt(entry.at)
    entry.at = -1
  }

  delete(topic: string): void {
    const known = this.#topics.get(topic)
    if (!known) return
    this.#topics.delete(topic)
    this.names.delete(topic)
    this.#stays(known)
    if (isSystemTopic(topic)) return
    this.count--
    this.bytes -= known.message.heldBytes
    if (this.#inMemoryAlone) this.#stored.add(-known.message.letGo())
  }

  /**
   * What a subscription made now is owed: the retained messages that match, in any order. It may be read later and
   * slowly: messages kept meanwhile are left out, since the subscription has received them itself.
   */
  match(filter: string, now: () => number): RetainedWalk {
    return this.#upTo(this.#sequence, filter, now)
  }

  /** Topics whose message has expired, in the order of their times: whoever reads removes each. No other is looked at. */
  *expiredBy(now: number): Generator<string, undefined> {
    for (let next = this.#expiring.first; next && next.message.expiresAt <= now; next = this.#expiring.first) {
      yield next.message.topic
      if (this.#expiring.first === next) return // it stays: so does all behind it, for now
    }
  }

  *#upTo(sequence: number, filter: string, now: () => number): Generator<Message | undefined, undefined> {
    for (const entry of matchFilter(this.#topics, filter)) {
      yield entry && entry.sequence <= sequence && entry.message.expiresAt > now() ? entry.message : undefined
    }
  }
}
