import { totalmem } from 'node:os'
import type { Will } from '@godwit/protocol'
import { Accounts, recordOverheadBytes } from '../accounts.js'
import { type Commit, noCommit } from '../commit.js'
import type { Message } from '../message.js'
import { Metrics } from '../metrics.js'
import { BrokerTime } from '../time/broker-time.js'
import { Chores } from '../time/chores.js'
import { type MemoryAccounts, MemoryExpiry, MemoryQueue } from './memory-queue.js'
import type { OutgoingSource, Recovered, SessionStore, Store, StoreHost } from './store.js'

const nothingToWaitFor: Commit = noCommit

/** Keeps nothing beyond the process: the broker's own memory is all there is, and an acknowledgement means "in memory". */
export function memoryStore(): Store {
  return new MemoryStore()
}

/** Of the machine's memory, what a store in memory takes when nobody says how much it may. */
export function memoryForStore(): number {
  return Math.floor(totalmem() / 4)
}

class MemoryStore implements Store {
  readonly flushed = noCommit
  readonly latest = noCommit
  readonly gathered = 0
  readonly isLow = false
  readonly isSilent = false
  readonly isLasting = false
  onFlushed: () => void = () => {}
  onRoom: () => void = () => {}
  onFailed: () => void = () => {}
  #accounts = new Accounts()
  #time = new BrokerTime()
  #memory: MemoryAccounts = memoryAccounts(new Metrics(), this.#accounts, new Chores())
  /** What is charged for the will of each client. */
  readonly #wills = new Map<string, number>()

  get full(): boolean {
    return this.#accounts.waiting.isFull
  }

  async open(host: Partial<StoreHost> = {}): Promise<Recovered> {
    const { metrics = new Metrics(), accounts = this.#accounts, time = this.#time, chores = new Chores() } = host
    this.#accounts = accounts
    this.#time = time
    this.#memory = memoryAccounts(metrics, accounts, chores)
    return { sessions: [], groups: [], retained: [], wills: [], queued: 0, clock: undefined }
  }

  session(clientId: string): SessionStore {
    return new MemorySessionStore(clientId, this.#memory)
  }

  group(sharedFilter: string): SessionStore {
    return new MemorySessionStore(sharedFilter, this.#memory)
  }

  setWill(clientId: string, will: Will | undefined): Commit {
    const bytes = will ? will.payload.length + will.topic.length + recordOverheadBytes : 0
    this.#accounts.stored.add(bytes - (this.#wills.get(clientId) ?? 0))
    if (will) this.#wills.set(clientId, bytes)
    else this.#wills.delete(clientId)
    return nothingToWaitFor
  }

  setRetained(_topic: string, _message: Message | undefined): Commit {
    return nothingToWaitFor
  }

  check(): Commit {
    return nothingToWaitFor
  }

  barrier(): Commit {
    return nothingToWaitFor
  }

  beforeQos1(): Commit {
    return nothingToWaitFor
  }

  tick(): void {
    this.#memory.expiry.clear(this.#time.expiryNow())
  }

  endOfPart(): void {}

  abandon(): void {}

  async close(): Promise<void> {}
}

/** Where the sessions of a broker are counted that are in memory, whatever its store is. */
export function memoryAccounts({ queued }: Metrics, { stored }: Accounts, chores: Chores): MemoryAccounts {
  return { totals: queued, stored, expiry: new MemoryExpiry(chores) }
}

/** Of sessions that end with their connection too, whatever the broker's store is. */
export class MemorySessionStore implements SessionStore {
  readonly queue: MemoryQueue
  readonly #accounts: MemoryAccounts
  #charged: number
  /** Bytes of each page of what came under packet ids. */
  #received: Map<number, number> | undefined

  constructor(name: string, accounts: MemoryAccounts) {
    this.#accounts = accounts
    this.queue = new MemoryQueue(accounts)
    this.#charged = name.length + recordOverheadBytes
    accounts.stored.add(this.#charged)
  }

  serves(deliveries: OutgoingSource): void {
    this.queue.serves(deliveries)
  }

  setSubscription(filter: string, _grant: unknown, _owed: boolean, isNew = true): Commit {
    if (isNew) this.#charge(filter.length + recordOverheadBytes)
    return nothingToWaitFor
  }

  deleteSubscription(filter: string): Commit {
    this.#charge(-filter.length - recordOverheadBytes)
    return nothingToWaitFor
  }

  setReceived(page: number, { length }: Uint8Array): Commit {
    this.#received ??= new Map()
    this.#charge(length - (this.#received.get(page) ?? 0))
    this.#received.set(page, length)
    return nothingToWaitFor
  }

  connected(): Commit {
    return nothingToWaitFor
  }

  disconnected(): Commit {
    return nothingToWaitFor
  }

  delete(): Commit {
    this.queue.clear()
    this.#charge(-this.#charged)
    return nothingToWaitFor
  }

  #charge(bytes: number): void {
    this.#charged += bytes
    this.#accounts.stored.add(bytes)
  }
}
