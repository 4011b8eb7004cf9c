/** The part of IndexedDB and of Web Locks that `indexedDbStore` uses, as a page has it; undefined: there is none. */
export interface PagePlatform {
  readonly indexedDB?: { open(name: string, version: number): OpenRequest } | undefined
  readonly navigator?: { readonly locks?: Locks | undefined } | undefined
}

interface Request<T> {
  readonly result: T
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: ((event: { preventDefault(): void }) => void) | null
}

interface OpenRequest extends Request<Database> {
  onupgradeneeded: (() => void) | null
  onblocked: (() => void) | null
}

export interface Database {
  createObjectStore(name: string): unknown
  transaction(stores: readonly string[], mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): Transaction
  close(): void
  onversionchange: (() => void) | null
  onclose: (() => void) | null
}

export interface Transaction {
  readonly error: unknown
  objectStore(name: string): ObjectStore
  abort(): void
  oncomplete: (() => void) | null
  onabort: (() => void) | null
}

export interface ObjectStore {
  getAll(): Request<unknown[]>
  getAllKeys(): Request<unknown[]>
  put(value: unknown, key: number): unknown
  delete(key: number): unknown
  clear(): unknown
}

interface Locks {
  request(
    name: string,
    options: { ifAvailable: true },
    held: (lock: object | null) => Promise<void> | undefined,
  ): Promise<unknown>
}

/**
 * Opens a database, makes its object stores when it is new. Rejects with what IndexedDB says, or with BlockedError when
 * another page keeps an older version of it open.
 */
export function openDatabase(
  platform: PagePlatform,
  name: string,
  version: number,
  stores: readonly string[],
): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = platform.indexedDB!.open(name, version)
    let isGivenUp = false
    request.onupgradeneeded = () => {
      for (const store of stores) request.result.createObjectStore(store)
    }
    request.onblocked = () => {
      isGivenUp = true
      reject(new BlockedError())
    }
    request.onerror = (event) => {
      event.preventDefault() // it is told to who asked, and not to the console as well
      reject(request.error)
    }
    request.onsuccess = () => {
      if (isGivenUp) request.result.close()
      else resolve(request.result)
    }
  })
}

/** An older version of the database is open elsewhere. */
export class BlockedError extends Error {}

/** Does the work in one transaction; settles when it is on the disk, or when nothing of it is. */
export function transact(
  database: Database,
  mode: 'readonly' | 'readwrite',
  stores: readonly string[],
  work: (transaction: Transaction) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, mode, { durability: 'strict' })
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'))
    try {
      work(transaction)
    } catch (error) {
      reject(error)
      transaction.abort()
    }
  })
}

/** Takes a lock of the site if it is free; undefined: somebody has it. The function returned gives it free. */
export function takeLock(platform: PagePlatform, name: string): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const requested: Promise<unknown> = platform.navigator!.locks!.request(name, { ifAvailable: true }, (lock) => {
      if (lock === null) return void resolve(undefined)
      return new Promise<void>((release) => {
        resolve(async () => {
          release()
          await requested.catch(() => {})
        })
      })
    })
    requested.catch(reject)
  })
}
