import { Histogram } from '@godwit/broker'

const everyMs = 25
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Looks forty times a second how late the event loop is: so long a packet that has come waits to be looked at. */
export class EventLoopDelay {
  readonly histogram: Histogram = new Histogram(seconds)
  readonly #timer: NodeJS.Timeout
  #due = performance.now() + everyMs

  constructor() {
    this.#timer = setTimeout(() => this.#look(), everyMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    this.histogram.observe(Math.max(0, now - this.#due) / 1000)
    this.#due = now + everyMs
    this.#timer.refresh()
  }
}
