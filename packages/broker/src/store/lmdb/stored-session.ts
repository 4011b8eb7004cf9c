import type { Commit } from '../../commit.js'
import type { QueueTotals } from '../../metrics.js'
import type { OutgoingSource, SessionStore, StoredGrant } from '../store.js'
import type { SessionNumber } from './batch.js'
import { writeCursor } from './cursor.js'
import type { MessageLog } from './message-log.js'
import { type Held, StoredQueue } from './stored-queue.js'
import { hashOf, type Tables, type Write } from './tables.js'

/** What a session asks of its store. */
export interface SessionKeeper {
  readonly tables: Tables
  readonly log: MessageLog
  /** What the queues of all sessions hold. */
  readonly queued: QueueTotals
  /** Gathers a write into the coming commit. */
  write(write: Write): Commit
  /** Asks for {@link StoredSession.changes} when the coming commit is made. */
  touch(session: StoredSession): Commit
  /** The session's record is gone: clears away what is left of it. */
  ended(session: StoredSession): void
}

/** Whose state it is. */
export interface Identity {
  readonly number: SessionNumber
  /** The Client Identifier; of a shared group, its filter. */
  readonly name: string
  readonly isGroup: boolean
}

/** One session's durable state. What changes with every message is written once a commit, as it is then. */
export class StoredSession implements SessionStore {
  readonly number: SessionNumber
  readonly queue: StoredQueue
  readonly #identity: Identity
  readonly #keeper: SessionKeeper
  readonly #receivedPages = new Map<number, Uint8Array>()
  #expirySeconds = 0
  #deleted = false

  constructor(identity: Identity, keeper: SessionKeeper, held?: Held) {
    this.number = identity.number
    this.#identity = identity
    this.#keeper = keeper
    this.queue = new StoredQueue(this.number, keeper.log, keeper.queued, held, () => keeper.touch(this))
  }

  get outgoing(): OutgoingSource | undefined {
    return this.queue.outgoing
  }

  set outgoing(source: OutgoingSource | undefined) {
    this.queue.outgoing = source
  }

  setSubscription(filter: string, { qos, noLocal, retainAsPublished, identifier }: StoredGrant, owed: boolean): Commit {
    const record = { filter, qos, noLocal, retainAsPublished, identifier, ...(owed && { owed }) }
    return this.#write(this.#keeper.tables.subscriptions, [this.number, hashOf(filter)], record)
  }

  deleteSubscription(filter: string): Commit {
    return this.#write(this.#keeper.tables.subscriptions, [this.number, hashOf(filter)], undefined)
  }

  setReceived(page: number, bits: Uint8Array): Commit {
    this.#receivedPages.set(page, bits)
    return this.#keeper.touch(this)
  }

  connected(expirySeconds: number): Commit {
    this.#expirySeconds = expirySeconds
    return this.#setRecord(null)
  }

  disconnected(expiresAt: number): Commit {
    return this.#setRecord(expiresAt)
  }

  delete(): Commit {
    this.#deleted = true
    this.queue.clear()
    const { tables } = this.#keeper
    this.#write(tables.ended, this.number, true)
    const commit = this.#write(tables.sessions, this.number, undefined)
    this.#keeper.ended(this)
    return commit
  }

  /** What to write of it in the commit that is being made. */
  changes(): readonly Write[] {
    if (this.#deleted || !this.outgoing) return []
    const { cursors, received } = this.#keeper.tables
    const cursor = writeCursor({ ...this.outgoing.state(), bytes: this.queue.bytes })
    const writes = [{ table: cursors, key: this.number, value: cursor } as unknown as Write]
    for (const [page, bits] of this.#receivedPages) {
      const value = bits.some((byte) => byte !== 0) ? Buffer.from(bits) : undefined
      writes.push({ table: received, key: [this.number, page], value } as unknown as Write)
    }
    this.#receivedPages.clear()
    return writes
  }

  #setRecord(expiresAt: number | null): Commit {
    this.#keeper.touch(this)
    return this.#write(this.#keeper.tables.sessions, this.number, {
      clientId: this.#identity.name,
      expirySeconds: this.#expirySeconds,
      expiresAt,
      ...(this.#identity.isGroup && { group: true }),
    })
  }

  #write(table: unknown, key: unknown, value: unknown): Commit {
    return this.#keeper.write({ table, key, value } as Write)
  }
}
