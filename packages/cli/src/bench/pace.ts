import { micros } from './clock.js'
import type { Publisher } from './publisher.js'
import type { Timing } from './timing.js'

/** Node's timers may be so late, in microseconds; closer than that the time is waited for by looking at the clock. */
const timerSlack = 2_000

/** Lets each publisher send when its time has come, until the end. */
export class Pace {
  readonly #publishers: readonly Publisher[]
  readonly #timing: Timing
  #stopped = false

  constructor(publishers: readonly Publisher[], timing: Timing) {
    this.#publishers = publishers
    this.#timing = timing
    this.#tick()
  }

  stop(): void {
    this.#stopped = true
  }

  #tick(): void {
    if (this.#stopped) return
    const now = micros()
    let next = Number.POSITIVE_INFINITY
    for (const publisher of this.#publishers) {
      publisher.pump(now)
      next = Math.min(next, publisher.nextTime)
    }
    if (next >= this.#timing.end) return
    const wait = next - now
    if (wait > timerSlack) setTimeout(() => this.#tick(), (wait - timerSlack) / 1000)
    else setImmediate(() => this.#tick())
  }
}
