import { performance } from 'node:perf_hooks'

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
