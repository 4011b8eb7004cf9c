import { BrokerError } from '../errors.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { Sliced, Slices } from '../time/slices.js'

export interface PageOptions {
  /** What the page before gave as `next`. Default: from the beginning. */
  readonly after?: string
  /** Items of a page at most, 1 to 1,000. Default 100. */
  readonly limit?: number
}

/** Some of a listing, in the order of names. */
export interface Page<T> {
  /**
   * May be fewer than asked for, even none, and not be the last: a page looks at no more than 10,000 names, and ends when it
   * has 4 MiB of payloads.
   */
  readonly items: readonly T[]
  /** Given as `after` it brings the next page; `undefined`: this was the last. */
  readonly next: string | undefined
}

/** What a listing is made of. */
export interface Listed<T> {
  /** Names in order, from this one on; they may change between two calls, not while they are walked over. */
  names(from: string): Iterable<string>
  /** What is shown of a name; `undefined`: it is not asked for. */
  view(name: string): T | undefined
  /** What an item holds that may be large, in bytes. Default: nothing. */
  bytes?(item: T): number
}

const mostItems = 1_000
const mostBytes = 4 * 1024 * 1024
/** Names looked at for one page, at most. */
const mostLooked = 10_000
const pageNames: NamesOf<PageOptions> = { after: true, limit: true }

/** @throws BrokerError `invalid-option`. */
export function checkPage(options: PageOptions, more: Readonly<Record<string, true>> = {}): void {
  checkNames(options, { ...pageNames, ...more }, 'page')
  const { limit = 1, after = '' } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > mostItems) {
    throw new BrokerError('invalid-option', `limit is ${limit}; it takes a whole number from 1 to ${mostItems}`)
  }
  if (typeof after !== 'string') {
    throw new BrokerError('invalid-option', `after is ${String(after)}; it takes what a page gave as next`)
  }
}

/**
 * A page in the order of names: whatever comes and goes meanwhile, a walk over all pages sees once what was there throughout.
 * It looks at names a slice at a time, like all long work of a broker: pages that are asked for together share its turns.
 * @param options checked.
 */
export function pageOf<T>(listed: Listed<T>, options: PageOptions, slices: Slices): Promise<Page<T>> {
  return new Promise((resolve, reject) => new PageInSlices({ listed, resolve, reject }, options, slices).goOn())
}

/**
 * Everything, page by page, for `for await`: it goes on as fast as its reader does. What comes and goes meanwhile is seen or not.
 * @param page brings one.
 */
export async function* everyItem<T>(page: (options: PageOptions) => Promise<Page<T>>): AsyncGenerator<T, undefined> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { items, next }: Page<T> = await page({ limit: mostItems, ...(after !== '' && { after }) })
    yield* items
    after = next
  }
  return undefined
}

/** What is listed, and asked for, by name: a Client Identifier, or a filter. What is asked wrongly rejects. */
export class Listing<T> {
  readonly #listed: Listed<T>
  readonly #slices: Slices

  constructor(listed: Listed<T>, slices: Slices) {
    this.#listed = listed
    this.#slices = slices
  }

  /** The one of this name; `undefined`: there is none. */
  async get(name: string): Promise<T | undefined> {
    return this.#listed.view(name)
  }

  /**
   * Some of them, in the order of their names; `next` of a page, as `after`, brings what follows.
   * @throws BrokerError `invalid-option`.
   */
  async page(options: PageOptions = {}): Promise<Page<T>> {
    checkPage(options)
    return pageOf(this.#listed, options, this.#slices)
  }

  /** All of them, in that order, page by page: `for await (const client of broker.clients.list())`. */
  list(): AsyncGenerator<T, undefined> {
    return everyItem((options) => this.page(options))
  }

  /** The same: `for await (const client of broker.clients)`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    return this.list()
  }
}

/** Who gets a page. */
interface Asked<T> {
  readonly listed: Listed<T>
  readonly resolve: (page: Page<T>) => void
  readonly reject: (error: unknown) => void
}

class PageInSlices<T> implements Sliced {
  readonly clientId = undefined
  readonly #asked: Asked<T>
  readonly #slices: Slices
  readonly #limit: number
  readonly #items: T[] = []
  /** The name looked at last. */
  #last: string | undefined
  #looked = 0
  #bytes = 0

  constructor(asked: Asked<T>, { after, limit = 100 }: PageOptions, slices: Slices) {
    this.#asked = asked
    this.#limit = limit
    this.#last = after
    this.#slices = slices
  }

  goOn(): void {
    const granted = this.#slices.grant()
    const before = this.#looked
    try {
      const page = this.#look(granted)
      if (page) this.#asked.resolve(page)
      else this.#slices.later(this)
    } catch (error) {
      this.#asked.reject(error)
    } finally {
      this.#slices.used(this.#looked - before)
    }
  }

  /** What it throws goes to whoever asked. */
  onFault(): void {}

  /** @returns `undefined` when it is not done after so many names. */
  #look(granted: number): Page<T> | undefined {
    const { listed } = this.#asked
    const items = this.#items
    let left = granted
    for (const name of listed.names(this.#last ?? '')) {
      if (name === this.#last) continue
      if (items.length === this.#limit || this.#looked === mostLooked || this.#bytes >= mostBytes) {
        return { items, next: this.#last }
      }
      if (left-- === 0) return undefined
      this.#looked++
      const item = listed.view(name)
      this.#last = name
      if (item === undefined) continue
      items.push(item)
      this.#bytes += listed.bytes?.(item) ?? 0
    }
    return { items, next: undefined }
  }
}
