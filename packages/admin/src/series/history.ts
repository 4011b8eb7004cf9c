import type { Clock } from '@godwit/broker'
import { type Point, pointOf, type Reading, type SeriesName, seriesNames } from './reading.js'

/** How far back a history goes, and in which steps. */
export const spans = {
  hour: { stepSeconds: 10, points: 360 },
  day: { stepSeconds: 60, points: 1_440 },
} as const
type Span = keyof typeof spans

/** What was, the oldest first. */
interface HistoryView {
  readonly stepSeconds: number
  /** When each step ended, in seconds since 1970: by the wall clock as it is now. */
  readonly times: readonly number[]
  readonly series: Readonly<Record<SeriesName, readonly (number | null)[]>>
}

/** The main series of one span, in a ring. */
class Ring {
  readonly stepMs: number
  readonly #points: number
  readonly #times: Float64Array
  readonly #values: ReadonlyMap<SeriesName, Float64Array>
  #count = 0
  #before: Reading | undefined

  constructor({ stepSeconds, points }: (typeof spans)[Span]) {
    this.stepMs = stepSeconds * 1000
    this.#points = points
    this.#times = new Float64Array(points)
    this.#values = new Map(seriesNames.map((name) => [name, new Float64Array(points)]))
  }

  /** Whether a step is over, give or take what a timer is late or early. */
  isDue(now: number): boolean {
    return this.#before === undefined || now - this.#before.at >= this.stepMs - 500
  }

  take(reading: Reading): void {
    if (this.#before) this.#add(reading.at, pointOf(this.#before, reading))
    this.#before = reading
  }

  #add(at: number, point: Point): void {
    const place = this.#count++ % this.#points
    this.#times[place] = at
    for (const [name, values] of this.#values) values[place] = point[name]
  }

  /** @param wallOf epoch ms of a moment on the monotonic clock. */
  view(wallOf: (at: number) => number): HistoryView {
    const held = Math.min(this.#count, this.#points)
    const places = Array.from({ length: held }, (_, at) => (this.#count - held + at) % this.#points)
    const series: Record<string, readonly (number | null)[]> = Object.fromEntries(
      [...this.#values].map(([name, values]) => [name, places.map((place) => numberOrNull(values[place]!))]),
    )
    return {
      stepSeconds: this.stepMs / 1000,
      times: places.map((place) => Math.round(wallOf(this.#times[place]!) / 1000)),
      series: series as HistoryView['series'],
    }
  }
}

function numberOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/**
 * The main series of an hour, in steps of ten seconds, and of a day, in minutes: in bounded memory, and by a clock that never
 * goes back, so that a page that is opened now shows what was.
 */
export class History {
  readonly #rings: Readonly<Record<Span, Ring>> = { hour: new Ring(spans.hour), day: new Ring(spans.day) }
  readonly #read: () => Promise<Reading>
  readonly #clock: Clock
  #cancel: () => void = () => {}
  #isClosed = false

  constructor(read: () => Promise<Reading>, clock: Clock) {
    this.#read = read
    this.#clock = clock
    void this.#sample()
  }

  view(span: Span): HistoryView {
    const wall = this.#clock.now() - this.#clock.monotonic()
    return this.#rings[span].view((at) => wall + at)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  async #sample(): Promise<void> {
    this.#cancel = this.#clock.timeout(this.#rings.hour.stepMs, () => void this.#sample())
    const reading = await this.#read().catch(() => undefined) // a closed broker has no more to say
    if (this.#isClosed || !reading) return
    for (const ring of Object.values(this.#rings)) if (ring.isDue(reading.at)) ring.take(reading)
  }
}
