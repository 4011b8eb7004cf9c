import { afterReading } from './after-reading.js'

/** Time as the broker sees it, so that a test can own it. */
export interface Clock {
  /** Milliseconds since the epoch: for times that are stored or shown. May jump. */
  now(): number
  /** Milliseconds that never go back: for timeouts. */
  monotonic(): number
  /** Runs `callback` once after `ms` (at most 2^31 − 1); the returned function cancels it. Does not keep the process alive. */
  timeout(ms: number, callback: () => void): () => void
  /**
   * Runs `callback` once all that lies in the sockets at this moment has been read. Asked when a timer comes late, as after
   * the process was stopped, so that nobody is taken for silent whose packets nobody has looked at. Left out: at once, as
   * it is right for a clock of tests.
   */
  afterReading?(callback: () => void): void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timeout(ms, callback) {
    const timer = setTimeout(callback, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
  afterReading,
}
