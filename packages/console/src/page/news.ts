import { effect, signal } from '@preact/signals'
import type { History } from './answers.js'
import { get } from './api.js'
import { type Batch, follow } from './follow.js'
import { self } from './session.js'

/** What has changed in the broker. */
export interface Change {
  readonly type: string
  readonly clientId?: string
  readonly filter?: string
  readonly topic?: string
}

export interface News extends Change {
  /** Epoch ms. */
  readonly at: number
  readonly id: number
}

const mostNews = 30
/** Of these there may be thousands a second, and no two mean more than one. */
const notTold = new Set(['retained-set', 'retained-deleted'])

/** The newest first. */
export const news = signal<readonly News[]>([])

/** The series of the broker for one second, by name; null: there was none. */
export interface Point {
  /** ISO 8601. */
  readonly at: string
  readonly [series: string]: number | string | null
}

/** Ten minutes of them. */
const mostPoints = 600

/** The last minutes, the oldest first. */
export const points = signal<readonly Point[]>([])

let next = 0

interface Told {
  readonly feed: string
  readonly batch: Batch<unknown>
}

function take({ feed, batch: { items } }: Told): void {
  if (feed === 'metrics') {
    points.value = [...points.peek(), ...(items as readonly Point[])].slice(-mostPoints)
    return
  }
  const at = Date.now()
  const told = (items as readonly Change[]).filter(({ type }) => !notTold.has(type)).slice(-mostNews)
  if (told.length === 0) return
  news.value = [...told.map((change) => ({ ...change, at, id: next++ })).reverse(), ...news.peek()].slice(0, mostNews)
}

/**
 * One stream for all tabs of this browser, which gives an origin six connections: the tab that has the lock follows, and tells the
 * others. Where there are no locks (a page without TLS that is not of this machine), each tab follows by itself.
 */
function share(): () => void {
  const channel = new BroadcastChannel('godwit-news')
  const ending = new AbortController()
  let stop = (): void => {}
  channel.onmessage = ({ data }) => take(data as Told)
  const lead = (): void => {
    const onBatch = (feed: string, batch: Batch<unknown>): void => {
      channel.postMessage({ feed, batch } satisfies Told)
      take({ feed, batch })
    }
    stop = follow({ feeds: 'changes,metrics' }, { onBatch, onState() {} })
  }
  const untilEnd = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()))
  if (navigator.locks) {
    const led = navigator.locks.request('godwit-news', { signal: ending.signal }, async () => {
      lead()
      await untilEnd
    })
    led.catch(() => {}) // logged out before it was ours
  } else lead()
  return () => {
    ending.abort()
    stop()
    channel.close()
  }
}

effect(() => {
  if (!self.value) return
  points.value = []
  rememberMinutes().catch(() => {}) // then the curves begin now
  return share()
})

/** What was before the page was opened, in steps of ten seconds. */
async function rememberMinutes(): Promise<void> {
  const { times, series } = await get<History>('/history', { span: 'hour' })
  const earliest = points.peek()[0]?.at ?? new Date().toISOString()
  const before = times
    .map((time, at) => ({
      at: new Date(time * 1_000).toISOString(),
      ...Object.fromEntries(Object.entries(series).map(([name, values]) => [name, values[at] ?? null])),
    }))
    .filter(({ at }) => at < earliest && Date.parse(at) > Date.now() - mostPoints * 1_000)
  points.value = [...before, ...points.peek()]
}
