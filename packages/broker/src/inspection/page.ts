import { BrokerError } from '../errors.js'
import { checkNames, type NamesOf } from '../option-names.js'

export interface PageOptions {
  /** What the page before gave as `next`. Default: from the beginning. */
  readonly after?: string
  /** Items of a page at most, 1 to 1,000. Default 100. */
  readonly limit?: number
}

/** Some of a listing, in the order of names. */
export interface Page<T> {
  /** May be fewer than asked for, even none, and not be the last: a page looks at no more than 10,000 names. */
  readonly items: readonly T[]
  /** Given as `after` it brings the next page; `undefined`: this was the last. */
  readonly next: string | undefined
}

const mostItems = 1_000
/** Names looked at for one page, at most. */
const mostLooked = 10_000
const pageNames: NamesOf<PageOptions> = { after: true, limit: true }

/**
 * Everything, page by page, for `for await`. Between two pages other work gets its turn, so what comes and goes meanwhile is
 * seen or not.
 */
export async function* everyItem<T>(list: (options: PageOptions) => Page<T>): AsyncGenerator<T, undefined> {
  for (let page = list({ limit: mostItems }); ; page = list({ limit: mostItems, after: page.next })) {
    yield* page.items
    if (page.next === undefined) return undefined
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * A page in the order of names: whatever comes and goes between two pages, a walk over all of them sees once what was there
 * throughout.
 * @param names in order, those after `options.after`.
 * @param view what is shown of a name; `undefined`: it is not asked for.
 * @param more further options of this listing.
 * @throws BrokerError `invalid-option`.
 */
export function pageOf<T>(
  names: Iterable<string>,
  options: PageOptions,
  view: (name: string) => T | undefined,
  more: Readonly<Record<string, true>> = {},
): Page<T> {
  checkNames(options, { ...pageNames, ...more }, 'list')
  const { after, limit = 100 } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > mostItems) {
    throw new BrokerError('invalid-option', `limit is ${limit}; it takes a whole number from 1 to ${mostItems}`)
  }
  const items: T[] = []
  let last = after
  let left = mostLooked
  for (const name of names) {
    if (name === after) continue
    const item = left-- > 0 ? view(name) : undefined
    if (left < 0 || (item !== undefined && items.length === limit)) return { items, next: last }
    if (item !== undefined) items.push(item)
    last = name
  }
  return { items, next: undefined }
}
