import { micros } from './clock.js'
import { Schedule } from './schedule.js'

/** How fast. */
export interface TaskPace {
  /** Tasks begun in a second; without it, as fast as `window` lets. */
  readonly rate?: number | undefined
  /** Tasks under way at one time. Default 100. */
  readonly window?: number
  /** @param waited microseconds since the task was to be begun. */
  readonly onDone?: (waited: number) => void
}

/**
 * Runs all tasks.
 * @throws what the first one that fails throws; no further ones are begun then.
 */
export async function runTasks(tasks: readonly (() => Promise<unknown>)[], pace: TaskPace = {}): Promise<void> {
  const { rate, window = 100, onDone } = pace
  const schedule = rate === undefined ? undefined : new Schedule(micros(), rate, 0, 1)
  let next = 0
  let failed = false
  const oneAfterAnother = async (): Promise<void> => {
    while (next < tasks.length && !failed) {
      const at = next++
      const intended = schedule?.timeOf(at) ?? micros()
      const waitMs = (intended - micros()) / 1000
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      await tasks[at]!()
      onDone?.(micros() - intended)
    }
  }
  const lanes = Array.from({ length: Math.min(window, tasks.length) }, () =>
    oneAfterAnother().catch((error: unknown) => {
      failed = true
      throw error
    }),
  )
  await Promise.all(lanes)
}
