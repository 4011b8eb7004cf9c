const [startSeconds, startNanoseconds] = process.hrtime()
const offset = startSeconds * 1e6 + startNanoseconds / 1e3 - performance.now() * 1e3

/**
 * Microseconds on the machine's own clock (CLOCK_MONOTONIC): all threads and processes read the same time, so a message
 * stamped by one can be timed by another. `performance.now` counts from each thread's start.
 */
export function micros(): number {
  return performance.now() * 1e3 + offset
}
