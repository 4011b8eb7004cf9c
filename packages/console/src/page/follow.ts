import { type Query, urlOf } from './api.js'

/** Some of what is followed, and how many more came that are left out. */
export interface Batch<T> {
  readonly items: readonly T[]
  readonly missed: number
}

export interface Following {
  /** A batch of a feed. */
  onBatch(feed: string, batch: Batch<unknown>): void
  /** Whether it is there; `why`: in words, where the server has ended it. */
  onState(isOpen: boolean, why?: string): void
}

/** After an end, or a refusal, it is asked again. A lost connection is the browser's own to restore. */
const againMs = 3_000
const feeds = ['changes', 'log', 'metrics', 'trace']

/** Follows the broker over one stream of server-sent events. @returns what ends it. */
export function follow(query: Query, { onBatch, onState }: Following): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const open = (): void => {
    source = new EventSource(urlOf('/events', query))
    source.addEventListener('open', () => onState(true))
    source.addEventListener('error', () => {
      onState(false)
      if (source?.readyState === EventSource.CLOSED) later()
    })
    source.addEventListener('cut', () => later()) // too slow: what came meanwhile is missed
    source.addEventListener('end', ({ data }) => {
      onState(false, whyIn(data))
      later()
    })
    for (const feed of feeds)
      source.addEventListener(feed, ({ data }) => onBatch(feed, JSON.parse(data) as Batch<unknown>))
  }
  const later = (): void => {
    source?.close()
    clearTimeout(timer)
    timer = setTimeout(open, againMs)
  }
  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}

function whyIn(data: string): string | undefined {
  try {
    const { why } = JSON.parse(data) as { readonly why?: unknown }
    return typeof why === 'string' ? why : undefined
  } catch {
    return undefined
  }
}
