import type { Clock } from '@godwit/broker'

/** Resolves once so much time has passed. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.timeout(ms, resolve))
}
