import { StoreError } from './errors.js'
import {
  BlockedError,
  type Database,
  openDatabase,
  type PagePlatform,
  type Transaction,
  takeLock,
  transact,
} from './indexeddb.js'
import { GatheredCommits } from './state/gathered-commits.js'
import { isSameMessage } from './state/same-message.js'
import type { ClientStore, StoredPublish, StoredSession } from './state/store.js'

/** Of the object stores. Their values keep their meaning. */
const format = 1
/** By sequence: the message, and apart from it how far its handshake is. By packet id: what was received. */
const stores = ['messages', 'progress', 'received'] as const

type Progress = Pick<StoredPublish, 'packetId' | 'released'>
type Message = Omit<StoredPublish, keyof Progress | 'sequence'>

/**
 * Keeps state in the browser's IndexedDB, so that it survives the page, the browser and the power: QoS 1 and 2
 * publications until they are complete, and the ids of QoS 2 messages received. `flush()` means that the browser has it on the
 * disk (transactions of durability 'strict'). The database `godwit client store NAME` of the page's site is made when it is not
 * there. A Web Lock of the same name keeps other tabs away while a client uses it; it is free as soon as its page is
 * gone. One store is one session: give it to clients of the same `clientId` and server only. Browsers only, in secure contexts
 * (https, or localhost).
 *
 * A browser short of room may delete what a site has stored: `navigator.storage.persist()` asks it not to.
 *
 * `connect()` then rejects with StoreError 'store-in-use' or 'store-unusable' when the store cannot be used.
 */
export function indexedDbStore(name: string): ClientStore {
  return new IndexedDbStore(name)
}

class IndexedDbStore implements ClientStore {
  readonly #name: string
  readonly #outgoing = new Map<number, StoredPublish>()
  readonly #received = new Set<number>()
  /** What differs from the database, by key. */
  #changes = new Changes()
  #isOpen = false
  /** Undefined while it is open: it was deleted, or closed for another page, and everything is to be written again. */
  #database: Database | undefined
  #unlock: (() => Promise<void>) | undefined
  /** No timer: a page in the background may wait a minute for one. */
  readonly #commits = new GatheredCommits(
    {
      isOpen: () => this.#isOpen,
      hasChanges: () => this.#database === undefined || !this.#changes.isEmpty,
      commit: () => this.#commit(),
    },
    (callback) => queueMicrotask(callback), // a browser takes it as its own alone
  )

  constructor(name: string) {
    this.#name = name
  }

  async load(): Promise<StoredSession> {
    this.#unlock = await lockOf(this.#name)
    try {
      this.#database = await this.#open()
      await this.#read(this.#database)
    } catch (error) {
      await this.#release()
      throw unusable(this.#name, `cannot be opened: ${inWords(error)}`, error)
    }
    this.#isOpen = true
    return {
      outgoing: [...this.#outgoing.values()].sort((a, b) => a.sequence - b.sequence),
      received: [...this.#received],
    }
  }

  putOutgoing(publish: StoredPublish): void {
    const { sequence } = publish
    const before = this.#outgoing.get(sequence)
    this.#outgoing.set(sequence, publish)
    if (before === undefined || !isSameMessage(before, publish)) this.#changes.messages.add(sequence)
    else this.#changes.progress.add(sequence)
    this.#commits.schedule()
  }

  removeOutgoing(sequence: number): void {
    if (this.#outgoing.delete(sequence)) this.#changes.messages.add(sequence)
    this.#commits.schedule()
  }

  putReceived(packetId: number): void {
    this.#received.add(packetId)
    this.#changes.received.add(packetId)
    this.#commits.schedule()
  }

  removeReceived(packetId: number): void {
    if (this.#received.delete(packetId)) this.#changes.received.add(packetId)
    this.#commits.schedule()
  }

  flush(): Promise<void> | undefined {
    return this.#commits.flush()
  }

  async close(): Promise<void> {
    try {
      await this.#commits.end()
    } finally {
      await this.#release()
    }
  }

  async #release(): Promise<void> {
    this.#isOpen = false
    this.#database?.close()
    this.#database = undefined
    this.#outgoing.clear()
    this.#received.clear()
    this.#changes = new Changes()
    const unlock = this.#unlock
    this.#unlock = undefined
    await unlock?.()
  }

  async #commit(): Promise<void> {
    const changes = this.#changes
    this.#changes = new Changes()
    try {
      await this.#write(changes)
    } catch (error) {
      this.#changes.add(changes)
      throw new StoreError('store-failed', this.#name, `cannot be written to: ${inWords(error)}`, error)
    }
  }

  async #write(changes: Changes): Promise<void> {
    const isNew = this.#database === undefined
    const database = this.#database ?? (await this.#open())
    if (isNew) {
      changes.messages = new Set(this.#outgoing.keys())
      changes.received = new Set(this.#received)
    }
    try {
      await transact(database, 'readwrite', stores, (transaction) => {
        if (isNew) for (const store of stores) transaction.objectStore(store).clear()
        this.#put(transaction, changes)
      })
    } catch (error) {
      if (isNew) database.close()
      throw error
    }
    this.#database = database
  }

  #put(transaction: Transaction, changes: Changes): void {
    const messages = transaction.objectStore('messages')
    const progress = transaction.objectStore('progress')
    const received = transaction.objectStore('received')
    for (const sequence of new Set([...changes.messages, ...changes.progress])) {
      const publish = this.#outgoing.get(sequence)
      if (publish === undefined) {
        messages.delete(sequence)
        progress.delete(sequence)
        continue
      }
      if (changes.messages.has(sequence)) messages.put(messageOf(publish), sequence)
      progress.put({ packetId: publish.packetId, released: publish.released }, sequence)
    }
    for (const packetId of changes.received) {
      if (this.#received.has(packetId)) received.put(true, packetId)
      else received.delete(packetId)
    }
  }

  async #open(): Promise<Database> {
    const database = await openDatabase(page, databaseOf(this.#name), format, stores)
    const lose = (): void => {
      database.close()
      if (this.#database !== database) return
      this.#database = undefined
      this.#commits.schedule()
    }
    database.onclose = lose // the user has cleared what the site stored
    database.onversionchange = lose // somebody deletes it, or a later version of this package wants it
    return database
  }

  async #read(database: Database): Promise<void> {
    const results: { readonly result: unknown[] }[] = []
    await transact(database, 'readonly', stores, (transaction) => {
      for (const name of stores) {
        const store = transaction.objectStore(name)
        results.push(store.getAllKeys(), store.getAll())
      }
    })
    const [sequences, messages, begun, progress, received] = results.map(({ result }) => result)
    const progressBySequence = new Map(begun!.map((sequence, at) => [sequence, progress![at] as Progress]))
    for (const [at, key] of sequences!.entries()) {
      const sequence = key as number
      const { packetId, released } = progressBySequence.get(sequence) ?? { packetId: 0, released: 0 }
      this.#outgoing.set(sequence, { sequence, ...(messages![at] as Message), packetId, released })
    }
    for (const packetId of received!) this.#received.add(packetId as number)
  }
}

/** Keys whose value in the database is not what it should be. */
class Changes {
  messages = new Set<number>()
  /** Of messages that are there. */
  progress = new Set<number>()
  received = new Set<number>()

  get isEmpty(): boolean {
    return this.messages.size + this.progress.size + this.received.size === 0
  }

  add(other: Changes): void {
    for (const sequence of other.messages) this.messages.add(sequence)
    for (const sequence of other.progress) this.progress.add(sequence)
    for (const packetId of other.received) this.received.add(packetId)
  }
}

/** This environment, in what a page has and others may not. */
const page = globalThis as PagePlatform

const databaseOf = (name: string): string => `godwit client store ${name}`

/** Throws StoreError 'store-in-use' and 'store-unusable'. */
async function lockOf(name: string): Promise<() => Promise<void>> {
  if (page.indexedDB === undefined) {
    throw unusable(name, 'needs IndexedDB, and this environment has none: use memoryStore(), or in Node fileStore()')
  }
  if (page.navigator?.locks === undefined) {
    throw unusable(name, 'needs Web Locks, and this page has none: serve it over https, or from localhost')
  }
  const unlock = await takeLock(page, databaseOf(name)).catch((error: unknown) => {
    throw unusable(name, `cannot be locked: ${inWords(error)}`, error)
  })
  if (unlock !== undefined) return unlock
  const message = 'is in use by another client, of this page or of another tab: give each client a store of its own'
  throw new StoreError('store-in-use', name, message)
}

function messageOf({ topic, payload, qos, retain, properties, expiresAt }: StoredPublish): Message {
  const correlationData = properties?.correlationData
  const own = correlationData ? { ...properties, correlationData: owned(correlationData) } : properties
  return { topic, payload: owned(payload), qos, retain, properties: own, expiresAt }
}

/** IndexedDB keeps all of the memory that an array looks into, and takes none that is shared with a worker. */
function owned(bytes: Uint8Array): Uint8Array {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length ? bytes : new Uint8Array(bytes)
}

function inWords(error: unknown): string {
  if (error instanceof BlockedError) return 'another tab has an older version of it open: close that tab'
  const { name = 'Error', message = String(error) } = (error ?? {}) as { name?: string; message?: string }
  switch (name) {
    case 'QuotaExceededError':
      return 'the browser gives this site no more room (QuotaExceededError): delete something of the site, or publish less while offline'
    case 'VersionError':
      return 'a later version of this package wrote it (VersionError): reload the page to get that version'
    case 'SecurityError':
    case 'InvalidStateError':
    case 'UnknownError':
      return `the browser does not let this page store anything, as in some private windows (${name}: ${message}): allow it in the site's settings, or use memoryStore()`
    default:
      return `${name}: ${message}`
  }
}

function unusable(name: string, what: string, cause?: unknown): StoreError {
  return new StoreError('store-unusable', name, what, cause)
}
