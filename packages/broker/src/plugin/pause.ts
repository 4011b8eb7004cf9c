import type { Clock } from '../time/clock.js'

/** Resolves after that time, or when the signal is aborted. */
export function pause(ms: number, clock: Clock, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      over.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.timeout(ms, done)
    over.addEventListener('abort', done)
    if (over.aborted) done()
  })
}
