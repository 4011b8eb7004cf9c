/** A timeout this late says that the process did not run, and nothing about who should have answered. */
const pauseMs = 100

/**
 * Runs `callback` once after `ms`, unless the returned function is called before: for what another side must have done by then.
 * Time in which this process did not run (it was stopped, the machine was frozen) is given back, up to `ms`: what the other
 * side has sent may lie in its socket unread. Does not keep the process alive.
 */
export function patientTimeout(ms: number, callback: () => void): () => void {
  const due = performance.now() + ms
  let timer = setTimeout(() => {
    const lost = performance.now() - due
    if (lost < pauseMs) return callback()
    timer = setTimeout(callback, Math.min(lost, ms)).unref()
  }, ms).unref()
  return () => clearTimeout(timer)
}
