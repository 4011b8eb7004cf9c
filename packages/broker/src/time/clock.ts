import { performance } from 'node:perf_hooks'

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

/** A poll that handed over fewer events than the system gives in one piece handed over all there were. */
const fullPoll = process.platform === 'win32' ? 128 : 1_024
/** The first reads the open sockets and accepts new connections, the second reads those. */
const leastPolls = 2
/** Under a load that fills every poll: so many read 100,000 sockets once, since each poll takes those that waited longest. */
const mostPolls = 128

/**
 * Runs `callback` once the event loop has read all that lies in the sockets at this moment. libuv runs timers before it
 * has polled, when a signal or a stop (SIGSTOP, a frozen machine) ended its sleep; an immediate runs behind a poll, in each of
 * its versions. A poll hands over a bounded number of events, so there may have to be several.
 */
export function afterReading(callback: () => void): void {
  let polls = 0
  let before = eventsSeen()
  const look = (): void => {
    const events = eventsSeen()
    const isAll = events - before < fullPoll
    before = events
    polls++
    if (polls < leastPolls || (!isAll && polls < mostPolls)) setImmediate(look)
    else callback()
  }
  setImmediate(look)
}

/** Since the loop began. */
function eventsSeen(): number {
  return performance.nodeTiming.uvMetricsInfo.events
}
