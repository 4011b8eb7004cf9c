/**
 * What `performance.now` lacks to the machine's clock. Time that passes between the two readings makes it too small, never
 * too large: the largest of some is the right one.
 */
function offsetNow(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + nanoseconds / 1e3 - performance.now() * 1e3
}

const offset = Math.max(...Array.from({ length: 20 }, offsetNow))

/**
 * Microseconds on the machine's own clock (CLOCK_MONOTONIC): all threads and processes read the same time, so a message
 * stamped by one can be timed by another. `performance.now` counts from each thread's start.
 */
export function micros(): number {
  return performance.now() * 1e3 + offset
}
