import type { TopicRate } from './busiest-topics.js'
import type { DeepQueue, SlowConsumer } from './rankings.js'

/** A broker at one moment, as `godwit top` shows it. */
export interface TopSnapshot {
  readonly version: string
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly at: number
  /** Milliseconds since the process began, on a clock that nobody sets: for rates. */
  readonly elapsedMs: number
  readonly uptimeSeconds: number
  readonly clients: number
  readonly sessions: number
  readonly subscriptions: number
  readonly retained: number
  readonly retainedBytes: number
  readonly totals: TopTotals
  /** Resident memory of the process. */
  readonly memoryBytes: number
  /** How late the event loop was in the last second: on average, and at worst. */
  readonly eventLoopDelayMs: { readonly mean: number; readonly max: number }
  /** Clients for which most waits in this process to be taken by their sockets; none of 0. Left out: not known yet. */
  readonly slowest?: readonly SlowConsumer[]
  /** Sessions in whose queues most messages wait; none of 0. Left out: not known yet. */
  readonly deepest?: readonly DeepQueue[]
  readonly busiest: readonly TopicRate[]
}

/** Counts since the start of the broker. */
export interface TopTotals {
  readonly messagesIn: number
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly dropped: number
  readonly connects: number
  readonly refused: number
  readonly cpuMs: number
}

/** What became of the totals between two snapshots, a second. */
export function perSecond(before: TopSnapshot, now: TopSnapshot): TopTotals {
  const seconds = Math.max(now.elapsedMs - before.elapsedMs, 1) / 1_000
  const rates = Object.entries(now.totals).map(([name, total]) => {
    return [name, (total - before.totals[name as keyof TopTotals]) / seconds] as const
  })
  return Object.fromEntries(rates) as unknown as TopTotals
}
