import { warn } from '#socket'
import type { AnyClientError } from './errors.js'
import type { Settings } from './settings.js'

/**
 * Says once, when connect() has waited for `warnAfterMs`, that it waits and what for: whoever has mistyped a port would look at
 * a program that says nothing for half a minute.
 * @returns Call it when the wait is over.
 */
export function noticeOfWaiting(
  { clock, servers, connectTimeoutMs, warnAfterMs }: Settings,
  lastError: () => AnyClientError | undefined,
): () => void {
  if (warnAfterMs === 0) return () => {}
  return clock.after(warnAfterMs, () => {
    const left = connectTimeoutMs === 0 ? '' : ` for ${Math.round((connectTimeoutMs - warnAfterMs) / 1000)} s more`
    const problem = lastError()?.message ?? `${servers[0]?.url}: no answer yet`
    warn(`connect: ${problem}; trying${left}`)
  })
}
