import { createHistogram, type Histogram, type RecordableHistogram } from 'node:perf_hooks'

/** What has happened so far, in one thread or in all. */
export interface Tally {
  /** Messages published. Retained: messages asked for. */
  readonly sent: number
  /** Messages that the rate wanted sent by now, and that have not been. */
  readonly late: number
  /** Of those sent, the ones the server has acknowledged. */
  readonly acknowledged: number
  /** Messages that arrived, at each subscriber, without those that came again. */
  readonly received: number
  /** Messages that came again, or out of order. */
  readonly repeated: number
  /** Messages that the server acknowledged with an error (MQTT 5.0). */
  readonly refused: number
  /** Within the measured time: messages received; where nobody subscribes, acknowledged. */
  readonly measured: number
  readonly connected: number
}

const nothing: Tally = {
  ...{ sent: 0, late: 0, acknowledged: 0, received: 0, repeated: 0, refused: 0, measured: 0, connected: 0 },
}

/** All of them together. */
export function sumOf(tallies: readonly Tally[]): Tally {
  const names = Object.keys(nothing) as (keyof Tally)[]
  return Object.fromEntries(
    names.map((name) => [name, tallies.reduce((sum, tally) => sum + tally[name], 0)]),
  ) as unknown as Tally
}

/** What is measured of one kind of waiting, in microseconds. */
export interface Percentiles {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Three significant digits from 1 µs to an hour (HDR). Threads share it: `add` may be called while it is filled. */
export function latencies(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 3 })
}

/** Notes a wait. @param waited in microseconds; a clock read twice in one microsecond gives 1. */
export function note(histogram: RecordableHistogram, waited: number): void {
  histogram.record(waited < 1 ? 1 : Math.round(waited))
}

/** The percentiles of all threads together; undefined when nothing was measured. */
export function percentilesOf(histograms: readonly Histogram[]): Percentiles | undefined {
  const all = latencies()
  for (const histogram of histograms) if (histogram.count > 0) all.add(histogram as RecordableHistogram)
  if (all.count === 0) return undefined
  return {
    ...{ count: all.count, min: all.min, mean: Number(all.mean.toFixed(1)), p50: all.percentile(50) },
    ...{ p90: all.percentile(90), p99: all.percentile(99), p999: all.percentile(99.9), max: all.max },
  }
}
