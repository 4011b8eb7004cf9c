import { type Clock, systemClock } from './clock.js'

/** What the wall clock and the broker's time showed when something was last written. */
export interface Moment {
  readonly wall: number
  readonly time: number
}

/** The wall clock and the broker's time part by this much before it is a step of the wall clock, in ms. */
const stepMs = 1_000

/**
 * The time in which the broker counts what expires: milliseconds, like those since 1970 at the first start, that neither
 * jump nor go back while the process lives, whatever becomes of the wall clock. What is stored is in this time, and beside
 * it stands once, for all, what the wall clock showed: a step of that clock moves all stored times with one record.
 */
export class BrokerTime {
  readonly clock: Clock
  /** The broker's time at the origin of the monotonic clock. */
  #base: number
  /** Set while the wall clock is behind what it showed to an earlier process. */
  #sureFrom: number | undefined

  /** @param clock default: the system's. */
  constructor(clock: Clock = systemClock) {
    this.clock = clock
    this.#base = clock.now() - clock.monotonic()
  }

  /** Never jumps, never goes back. */
  now(): number {
    return this.#base + this.clock.monotonic()
  }

  /** For deciding what is over: nothing is, while {@link isSure} is false. */
  expiryNow(): number {
    return this.isSure ? this.now() : Number.NEGATIVE_INFINITY
  }

  /** Where this time stands against the wall clock's, for times that people read. */
  wallOf(time: number): number {
    return time + this.clock.now() - this.now()
  }

  /**
   * Takes up the time of an earlier process. How long nobody was there the wall clock says; when that is behind what it
   * showed last, it cannot be right, and nothing expires until it is: see {@link isSure}.
   * @param until what it showed when this time stopped: what has passed since then counts for nothing. Default: it goes on to now.
   */
  continue({ wall, time }: Moment, until?: number): void {
    const now = until === undefined ? this.clock.now() : Math.max(until, wall)
    const down = Math.max(0, now - wall)
    this.#base = time + down - this.clock.monotonic()
    this.#sureFrom = now < wall - stepMs ? wall : undefined
  }

  /** False: the wall clock is behind what it showed before the start, so nobody knows how long the broker was not there. */
  get isSure(): boolean {
    if (this.#sureFrom === undefined) return true
    if (this.clock.now() < this.#sureFrom) return false
    this.#sureFrom = undefined
    return true
  }

  moment(): Moment {
    return { wall: this.clock.now(), time: this.now() }
  }

  /** Whether the wall clock has been stepped since a moment. */
  hasStepped({ wall, time }: Moment): boolean {
    return Math.abs(this.clock.now() - wall - (this.now() - time)) > stepMs
  }
}
