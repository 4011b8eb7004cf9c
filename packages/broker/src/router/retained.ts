import { Account } from '../accounts.js'
import type { Message } from '../message.js'
import { isSystemTopic } from './system-topics.js'
import { matchFilter, TopicTree } from './topic-tree.js'

interface Retained {
  message: Message
  /** Rises with every message kept. */
  sequence: number
}

/** The retained message of each topic (section 3.3.1.3). The broker's own, under `$SYS`, are neither counted nor bounded. */
export class RetainedMessages {
  readonly #topics = new TopicTree<Retained>()
  readonly #maxMessages: number
  readonly #maxBytes: number
  /** Topics whose message expires some day. */
  readonly #expiring = new Set<string>()
  #sequence = 0
  count = 0
  bytes = 0

  readonly #stored: Account
  readonly #inMemoryAlone: boolean

  /**
   * @param stored what is kept for all; bounds what is retained too.
   * @param inMemoryAlone no store has them too, which counts them there.
   */
  constructor(maxMessages: number, maxBytes: number, stored: Account = new Account(), inMemoryAlone = true) {
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
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
    const isFull = this.count + (known ? 0 : 1) > this.#maxMessages || bytes > this.#maxBytes
    if (isFull || (more > 0 && !this.#stored.hasRoomFor(more))) {
      this.delete(message.topic) // better none than one that is no longer true
      return false
    }
    if (!known) this.count++
    this.bytes = bytes
    if (this.#inMemoryAlone) this.#stored.add(message.hold() - (known?.message.letGo() ?? 0))
    this.#put(message)
    return true
  }

  #put(message: Message): void {
    const entry = this.#topics.getOrSet(message.topic, () => ({ message, sequence: 0 }))
    entry.message = message.keep()
    entry.sequence = ++this.#sequence
    if (message.expiresAt === Number.POSITIVE_INFINITY) this.#expiring.delete(message.topic)
    else this.#expiring.add(message.topic)
  }

  delete(topic: string): void {
    const known = this.#topics.get(topic)
    if (!known) return
    this.#topics.delete(topic)
    this.#expiring.delete(topic)
    if (isSystemTopic(topic)) return
    this.count--
    this.bytes -= known.message.heldBytes
    if (this.#inMemoryAlone) this.#stored.add(-known.message.letGo())
  }

  /**
   * What a subscription made now is owed: the retained messages that match, in any order. It may be read later and
   * slowly: messages kept meanwhile are left out, since the subscription has received them itself.
   */
  match(filter: string, now: () => number): Iterator<Message, undefined> {
    return this.#upTo(this.#sequence, filter, now)
  }

  /** Topics whose message has expired. */
  expired(now: number): readonly string[] {
    return Array.from(this.#expiring).filter((topic) => (this.get(topic)?.expiresAt ?? now) <= now)
  }

  *#upTo(sequence: number, filter: string, now: () => number): Generator<Message, undefined> {
    for (const { message, sequence: own } of matchFilter(this.#topics, filter)) {
      if (own <= sequence && message.expiresAt > now()) yield message
    }
  }
}
