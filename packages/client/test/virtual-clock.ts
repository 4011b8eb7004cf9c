import type { Clock } from '../src/clock.js'

interface Timer {
  readonly at: number
  readonly task: () => void
}

/** Resolves when all that does not wait for time has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Time that passes only when the test says so. */
export class VirtualClock implements Clock {
  #now = 0
  /** By so much somebody has set the time of day. */
  setMs = 0
  readonly #timers = new Set<Timer>()
  readonly random: () => number

  /** Without jitter unless told otherwise: every wait is as long as it may be. */
  constructor(random: () => number = () => 1) {
    this.random = random
  }

  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  date(): number {
    return 1_700_000_000_000 + this.#now + this.setMs
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  soon(task: () => void): void {
    queueMicrotask(task)
  }

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    await settled()
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      await this.#run(next)
    }
    this.#now = until
    await settled()
  }

  /** The process sleeps: time passes and timers fire late, all at once, when it wakes. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms
    await this.pass(0)
  }

  /** Goes on to the next timer; false when there is none. */
  async skip(): Promise<boolean> {
    await settled()
    const next = this.#next()
    if (next === undefined) return false
    await this.#run(next)
    return true
  }

  async #run(timer: Timer): Promise<void> {
    this.#timers.delete(timer)
    this.#now = Math.max(this.#now, timer.at)
    timer.task()
    await settled()
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer
    return next
  }
}
