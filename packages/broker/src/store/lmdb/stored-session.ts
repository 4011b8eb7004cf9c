import { type Commit, noCommit } from '../../commit.js'
import type { OutgoingSource, SessionStore, StoredGrant } from '../store.js'
import { receivedKey, type SessionNumber, sessionKey, subscriptionKey } from './keys.js'
import { writeCount, writeCursor, writePage, writeSession, writeSubscription } from './records.js'
import type { Unapplied } from './share.js'
import { type QueueKeeper, type QueueOwner, StoredQueue, type Totals } from './stored-queue.js'
import type { TableName, Write } from './tables.js'

/** What a session asks of its store. */
export interface SessionKeeper extends QueueKeeper {
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

const nothing: Unapplied = { first: Number.POSITIVE_INFINITY, messages: 0, bytes: 0 }

/** One session's durable state. What changes with every message is written once a commit, as it is then. */
export class StoredSession implements SessionStore, QueueOwner {
  readonly number: SessionNumber
  readonly queue: StoredQueue
  readonly identity: Identity
  readonly #keeper: SessionKeeper
  /** Pages that have changed since the last commit. */
  #receivedPages: Map<number, Uint8Array> | undefined
  /** The commit that is to write where it stands. */
  touchedIn: Commit = noCommit
  #expirySeconds = 0
  #deleted = false

  constructor(identity: Identity, keeper: SessionKeeper, held?: Totals) {
    this.number = identity.number
    this.identity = identity
    this.#keeper = keeper
    this.queue = new StoredQueue(this.number, keeper, held, this)
  }

  changed(): Commit {
    return this.#keeper.touch(this)
  }

  get outgoing(): OutgoingSource | undefined {
    return this.queue.outgoing
  }

  serves(deliveries: OutgoingSource): void {
    this.queue.serves(deliveries)
  }

  setSubscription(filter: string, grant: StoredGrant, owed: boolean): Commit {
    const key = subscriptionKey(this.number, filter)
    return this.#write('subscriptions', key, writeSubscription(key, { ...grant, filter, owed }))
  }

  deleteSubscription(filter: string): Commit {
    return this.#write('subscriptions', subscriptionKey(this.number, filter), undefined)
  }

  setReceived(page: number, bits: Uint8Array): Commit {
    this.#receivedPages ??= new Map()
    this.#receivedPages.set(page, bits)
    return this.#keeper.touch(this)
  }

  connected(expirySeconds: number): Commit {
    this.#expirySeconds = expirySeconds
    return this.#setRecord(undefined)
  }

  disconnected(expiresAt: number): Commit {
    return this.#setRecord(expiresAt)
  }

  delete(): Commit {
    this.#deleted = true
    this.queue.clear()
    const key = sessionKey(this.number)
    this.#write('ended', key, writeCount('ended', key, 0))
    const commit = this.#write('sessions', key, undefined)
    this.#keeper.ended(this)
    return commit
  }

  /** What to write of it in the commit that is being made. */
  changes(): readonly Write[] {
    if (this.#deleted || !this.outgoing) return []
    const { number } = this
    const writes: Write[] = [this.cursor()!]
    for (const [page, bits] of this.#receivedPages ?? []) {
      const key = receivedKey(number, page)
      const value = bits.some((byte) => byte !== 0) ? writePage(key, bits) : undefined
      writes.push({ table: 'received', key, value })
    }
    this.#receivedPages = undefined
    return writes
  }

  /**
   * Where its deliveries stand now; `undefined`: it has ended.
   * @param unapplied what is left out, since it is not on disk.
   */
  cursor(unapplied: Unapplied = nothing): Write | undefined {
    if (this.#deleted || !this.outgoing) return undefined
    const { queue } = this
    const key = sessionKey(this.number)
    const { head, next, tail: newest, handshakes, maxInflight, mayHaveSentMore } = this.outgoing.state()
    const tail = Math.max(head, Math.min(newest, unapplied.first))
    const isEmpty = tail === head // of a share that is written anew nobody counts which of its messages are done
    // Field by field: this is done for each session of each commit, and copying an object as a whole is slow.
    const value = writeCursor(key, {
      head,
      next: Math.min(next, tail),
      tail,
      handshakes: next <= tail ? handshakes : handshakes.subarray(0, tail - head),
      maxInflight,
      mayHaveSentMore,
      bytes: isEmpty ? 0 : Math.max(0, queue.bytes - unapplied.bytes),
      messages: isEmpty ? 0 : Math.max(0, queue.messages - unapplied.messages),
    })
    return { table: 'cursors', key, value }
  }

  #setRecord(expiresAt: number | undefined): Commit {
    this.#keeper.touch(this)
    const key = sessionKey(this.number)
    const { name: clientId, isGroup } = this.identity
    return this.#write(
      'sessions',
      key,
      writeSession(key, { clientId, expirySeconds: this.#expirySeconds, expiresAt, isGroup }),
    )
  }

  #write(table: TableName, key: Buffer, value: Uint8Array | undefined): Commit {
    return this.#keeper.write({ table, key, value })
  }
}
