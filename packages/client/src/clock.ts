/** Time and chance, so that tests can hold both. */
export interface Clock {
  /** Milliseconds that only grow. */
  now(): number
  /** Milliseconds since 1970, for what is kept beyond the process. May jump. */
  date(): number
  /** Runs the task once, `ms` from now; the function returned cancels it. */
  after(ms: number, task: () => void): () => void
  /** Runs the task at the end of this turn of the event loop. */
  soon(task: () => void): void
  /** At least 0, below 1. */
  random(): number
}

/** A longer time would make setTimeout fire at once. */
const longestTimeoutMs = 2 ** 31 - 1

/** What Node's timers have and a browser's have not. */
interface Unrefable {
  unref?: () => unknown
}

type Immediate = (task: () => void) => unknown

/** The system's clock. With `unref` its timers do not keep the process alive. */
export function systemClock(unref: boolean): Clock {
  const immediate = (globalThis as { setImmediate?: Immediate }).setImmediate
  return {
    now: () => performance.now(),
    date: () => Date.now(),
    after(ms, task) {
      const timer = setTimeout(task, Math.min(ms, longestTimeoutMs))
      if (unref) (timer as Unrefable).unref?.()
      return () => clearTimeout(timer)
    },
    // A browser's setTimeout is throttled to once a second or minute in the background: acknowledgements cannot wait
    // for it.
    soon: (task) => (immediate ? immediate(task) : queueMicrotask(task)),
    random: () => Math.random(),
  }
}
