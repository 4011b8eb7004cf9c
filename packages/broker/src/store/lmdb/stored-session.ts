import type { Commit } from '../../commit.js'
import type { OutgoingSource, SessionStore } from '../store.js'
import type { SessionNumber } from './batch.js'
import { writeCursor } from './cursor.js'
import type { MessageLog } from './message-log.js'
import { StoredQueue } from './stored-queue.js'
import { hashOf, type Tables, type Write } from './tables.js'

/** What a session asks of its store. */
export interface SessionKeeper {
  readonly tables: Tables
  readonly log: MessageLog
  /** Gathers a write into the coming commit. */
  write(write: Write): Commit
  /** Asks for {@link StoredSession.changes} when the coming commit is made. */
  touch(session: StoredSession): Commit
  /** The session's record is gone: clears away what is left of it. */
  ended(session: StoredSession): void
}

/** One session's durable state. What changes with every message is written once a commit, as it is then. */
export class StoredSession implements SessionStore {
  readonly number: SessionNumber
  readonly queue: StoredQueue
  readonly #clientId: string
  readonly #keeper: SessionKeeper
  readonly #receivedPages = new Map<number, Uint8Array>()
  #deleted = false

  constructor(number: SessionNumber, clientId: string, keeper: SessionKeeper, queuedBytes?: number) {
    this.number = number
    this.#clientId = clientId
    this.#keeper = keeper
    this.queue = new StoredQueue(number, keeper.log, queuedBytes, () => keeper.touch(this))
  }

  get outgoing(): OutgoingSource | undefined {
    return this.queue.outgoing
  }

  set outgoing(source: OutgoingSource | undefined) {
    this.queue.outgoing = source
  }

  setSubscription(filter: string, qos: number): Commit {
    return this.#write(this.#keeper.tables.subscriptions, [this.number, hashOf(filter)], { filter, qos })
  }

  deleteSubscription(filter: string): Commit {
    return this.#write(this.#keeper.tables.subscriptions, [this.number, hashOf(filter)], undefined)
  }

  setReceived(page: number, bits: Uint8Array): Commit {
    this.#receivedPages.set(page, bits)
    return this.#keeper.touch(this)
  }

  connected(): Commit {
    return this.#setRecord(null)
  }

  disconnected(expiresAt: number): Commit {
    return this.#setRecord(expiresAt)
  }

  delete(): Commit {
    this.#deleted = true
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
    return this.#write(this.#keeper.tables.sessions, this.number, { clientId: this.#clientId, expiresAt })
  }

  #write(table: unknown, key: unknown, value: unknown): Commit {
    return this.#keeper.write({ table, key, value } as Write)
  }
}
