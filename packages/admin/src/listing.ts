import type { Page, PageOptions } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { Problem } from './problem.js'

/** A whole number in a query. */
export function integerParam(
  least: number,
  most: number,
  description: string,
  example?: number,
): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,15}$/, `it takes a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `it takes a whole number from ${least} to ${most}`)
    .openapi({ type: 'integer', minimum: least, maximum: most, description, ...(example !== undefined && { example }) })
}

export function flagParam(description: string): z.ZodType<boolean, string> {
  return z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .openapi({ type: 'string', enum: ['true', 'false'], description })
}

/** Some text in a query; what MQTT can name has at most 65,535 bytes. */
export function textParam(description: string): z.ZodString {
  return z.string().max(65_535).openapi({ description })
}

/** What every list is asked. */
export const pageParams = {
  limit: integerParam(1, 1_000, 'Items of a page at most. Default 100.', 100).optional(),
  cursor: z
    .string()
    .max(200_000)
    .optional()
    .openapi({ description: '`next` of the page before. Default: from the beginning.' }),
}

/** Some of an item's fields, by name; what names the item is always there. */
export function columnsParam(names: readonly string[]): z.ZodType<readonly string[] | undefined, string | undefined> {
  return z
    .string()
    .max(1_000)
    .transform((value) => value.split(','))
    .refine(
      (columns) => columns.every((one) => names.includes(one)),
      `it takes of ${names.join(', ')}, with commas between`,
    )
    .optional()
    .openapi({
      type: 'string',
      description: `Fields to show, with commas between: of ${names.join(', ')}. Default: all.`,
    })
}

/** An order other than that of names: `-` in front is the largest first. */
export function sortParam(names: readonly string[]): z.ZodType<string | undefined, string | undefined> {
  const all = names.flatMap((name) => [name, `-${name}`]) as [string, ...string[]]
  return z.enum(all).optional().openapi({
    description: 'Order by this field; `-` in front: the largest first. Default: by name, which is the quickest.',
  })
}

/** A page of a list, for its schema: items of which columns may be left out. */
export function pageSchema<T extends z.ZodType>(items: T, name: string) {
  return z
    .strictObject({
      items: z.array(items),
      next: z
        .string()
        .nullable()
        .openapi({ description: 'As `cursor`, it brings the next page. null: this was the last.' }),
    })
    .openapi(name, { description: 'A page may have fewer items than asked for, even none, and not be the last.' })
}

/** What a page is made of. */
export interface Listing<T> {
  /** The broker's own: in the order of names. */
  page(options: PageOptions): Promise<Page<T>>
  /** Whether it is asked for. Default: all are. */
  keep?(item: T): boolean
  /** What an item holds that may be large, in bytes: a page by name ends behind 4 MiB of it. Default: nothing. */
  bytes?(item: T): number
  /** What tells items apart that are equal in the order. */
  name(item: T): string
}

interface Asked {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  readonly sort?: string | undefined
}

/** Names looked at for one page of a list by name, at most: then it ends, and the next goes on there. */
const mostLooked = 200_000
const mostBytes = 4 * 1024 * 1024

/**
 * A page of a list. By name it goes on where the page before ended; in another order all are looked at for each page, and only
 * those of the page are held. The broker looks at them in slices, between the work of its clients.
 */
export async function listed<T extends object>(
  listing: Listing<T>,
  { limit = 100, cursor, sort }: Asked,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  return sort === undefined
    ? byName(listing, limit, cursor, signal)
    : bySort(listing, limit, cursor, orderOf<T>(sort), signal)
}

async function byName<T>(
  { page, keep = () => true, bytes = () => 0 }: Listing<T>,
  limit: number,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  const items: T[] = []
  let after = cursor === undefined ? undefined : nameIn(cursor)
  let held = 0
  for (let looked = 0; items.length < limit && looked < mostLooked && held < mostBytes && !signal.aborted; ) {
    const wanted = limit - items.length
    const { items: more, next } = await page({ limit: wanted, ...(after !== undefined && { after }) })
    for (const item of more) {
      if (!keep(item)) continue
      items.push(item)
      held += bytes(item)
    }
    after = next
    if (next === undefined) return { items, next: null }
    looked += more.length < wanted ? 10_000 : wanted
  }
  return { items, next: after === undefined ? null : cursorOf([after]) }
}

interface Order<T> {
  readonly sort: string
  value(item: T): string | number
  /** Below 0: the one comes first. */
  compare(one: readonly [string | number, string], other: readonly [string | number, string]): number
}

function orderOf<T extends object>(sort: string): Order<T> {
  const isDown = sort.startsWith('-')
  const field = (isDown ? sort.slice(1) : sort) as keyof T
  const sign = isDown ? -1 : 1
  return {
    sort,
    value: (item) => {
      const value: unknown = item[field]
      return typeof value === 'number' || typeof value === 'string' ? value : ''
    },
    compare: ([one, name], [other, otherName]) =>
      one === other ? (name < otherName ? -1 : name > otherName ? 1 : 0) : sign * (lessThan(one, other) ? -1 : 1),
  }
}

function lessThan(one: string | number, other: string | number): boolean {
  if (typeof one === typeof other) return one < other
  return typeof one === 'string' // what has no value comes before what has one
}

async function bySort<T>(
  { page, keep = () => true, name }: Listing<T>,
  limit: number,
  cursor: string | undefined,
  { sort, value, compare }: Order<T>,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  const from = cursor === undefined ? undefined : placeIn(cursor, sort)
  type Placed = readonly [place: readonly [string | number, string], item: T]
  let best: Placed[] = []
  const cut = (): void => {
    best.sort(([one], [other]) => compare(one, other))
    best.length = Math.min(best.length, limit + 1)
  }
  for (let after: string | undefined = ''; after !== undefined && !signal.aborted; ) {
    const { items, next }: Page<T> = await page({ limit: 1_000, ...(after !== '' && { after }) })
    for (const item of items) {
      if (!keep(item)) continue
      const place = [value(item), name(item)] as const
      if (from === undefined || compare(place, from) > 0) best.push([place, item])
    }
    if (best.length > 2 * limit + 1_000) cut()
    after = next
  }
  cut()
  const hasMore = best.length > limit
  best = best.slice(0, limit)
  const last = best.at(-1)
  return { items: best.map(([, item]) => item), next: hasMore && last ? cursorOf([sort, ...last[0]]) : null }
}

function cursorOf(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

function placeOf(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(place)) return place
  } catch {
    // told below
  }
  throw notACursor()
}

function nameIn(cursor: string): string {
  const [name, ...others] = placeOf(cursor)
  if (typeof name !== 'string' || others.length > 0) throw notACursor()
  return name
}

function placeIn(cursor: string, sort: string): readonly [string | number, string] {
  const [sorted, value, name] = placeOf(cursor)
  const isValue = typeof value === 'string' || typeof value === 'number'
  if (sorted !== sort || !isValue || typeof name !== 'string') throw notACursor()
  return [value, name]
}

function notACursor(): Problem {
  return new Problem('invalid-request', 'query.cursor: it takes `next` of a page that was asked for with the same sort')
}

/** @param columns with those that name the item. */
export function chosen<T extends object>(
  items: readonly T[],
  columns: readonly string[] | undefined,
  always: readonly string[],
): Partial<T>[] {
  if (columns === undefined) return items.map((item) => ({ ...item }))
  const names = [...new Set([...always, ...columns])]
  return items.map((item) => Object.fromEntries(names.map((name) => [name, item[name as keyof T]])) as Partial<T>)
}
