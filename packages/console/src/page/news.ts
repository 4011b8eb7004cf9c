import { effect, signal } from '@preact/signals'
import type { History, LogLine } from './answers.js'
import { get, Problem } from './api.js'
import { type Batch, follow } from './follow.js'
import { follows } from './live.js'
import { mostLines } from './log-lines.js'
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

/** The stream: whether it is there, and how often it was opened anew since this page was; what was told between is missed. */
export const stream = signal<{ readonly isOpen: boolean; readonly openings: number }>({ isOpen: false, openings: 0 })

/** The log since the stream is there, the oldest first, and how many lines came faster than they were taken. */
export const logged = signal<{ readonly lines: readonly LogLine[]; readonly missed: number }>({ lines: [], missed: 0 })

let next = 0

/** What the tab that follows tells the others: a batch, or whether the stream is there. */
type Told = { readonly feed: string; readonly batch: Batch<unknown> } | { readonly isOpen: boolean }

function take(told: Told): void {
  if ('isOpen' in told) {
    const { isOpen } = told
    stream.value = { isOpen, openings: stream.peek().openings + (isOpen ? 1 : 0) }
    return
  }
  const {
    feed,
    batch: { items, missed },
  } = told
  // A tab that was opened later hears of the stream by what comes.
  if (!stream.peek().isOpen) stream.value = { ...stream.peek(), isOpen: true }
  if (feed === 'metrics') {
    points.value = [...points.peek(), ...(items as readonly Point[])].slice(-mostPoints)
    return
  }
  if (feed === 'log') {
    const { lines, missed: before } = logged.peek()
    logged.value = { lines: [...lines, ...(items as readonly LogLine[])].slice(-mostLines), missed: before + missed }
    return
  }
  const at = Date.now()
  const changes = (items as readonly Change[]).filter(({ type }) => !notTold.has(type)).slice(-mostNews)
  if (changes.length === 0) return
  news.value = [...changes.map((change) => ({ ...change, at, id: next++ })).reverse(), ...news.peek()].slice(
    0,
    mostNews,
  )
}

/**
 * One stream for all tabs of this browser, which gives an origin six connections: the tab that has the lock follows, and tells the
 * others. Where there are no locks (a page without TLS that is not of this machine), each tab follows by itself.
 * @param broker the feeds of a broker, each with a comma behind; empty: none serves here.
 */
function share(broker: string): () => void {
  const channel = new BroadcastChannel('godwit-news')
  const ending = new AbortController()
  let stop = (): void => {}
  channel.onmessage = ({ data }) => take(data as Told)
  const tell = (told: Told): void => {
    channel.postMessage(told)
    take(told)
  }
  const lead = async (): Promise<void> => {
    const feeds = (await hasLog(ending.signal)) ? `${broker}log` : broker.slice(0, -1)
    if (ending.signal.aborted || feeds === '') return
    stop = follow({ feeds }, { onBatch: (feed, batch) => tell({ feed, batch }), onState: (isOpen) => tell({ isOpen }) })
  }
  const untilEnd = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()))
  if (navigator.locks) {
    const led = navigator.locks.request('godwit-news', { signal: ending.signal }, async () => {
      await lead()
      await untilEnd
    })
    led.catch(() => {}) // logged out before it was ours
  } else void lead()
  return () => {
    ending.abort()
    stop()
    channel.close()
  }
}

/** Whether this server shows its log: a stream of what it has not is refused. A question without an answer is a yes: it is asked again. */
function hasLog(signal: AbortSignal): Promise<boolean> {
  return get('/log', { count: 1 }, signal).then(
    () => true,
    (error: unknown) => !(error instanceof Problem && error.status === 501),
  )
}

effect(() => {
  if (!self.value) return
  const isAlive = !follows.value
  points.value = []
  stream.value = { isOpen: false, openings: 0 }
  logged.value = { lines: [], missed: 0 }
  if (isAlive) rememberMinutes().catch(() => {}) // then the curves begin now
  return share(isAlive ? 'changes,metrics,' : '')
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
