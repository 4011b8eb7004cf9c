import type { Logger } from './log.js'
import type { DropReason, Metrics } from './metrics.js'

/** How long lines about one client and reason are gathered into one. */
const quietMs = 10_000

/**
 * The one place where messages are reported as dropped: each is counted, the first of a client and reason is told at
 * once, and those that follow are told together, so that a flood of drops is not a flood of lines.
 */
export class Drops {
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #after: (ms: number, callback: () => void) => void
  /** Drops since the last line, by client and reason. */
  readonly #untold = new Map<string, number>()

  constructor(metrics: Metrics, log: Logger, after: (ms: number, callback: () => void) => void) {
    this.#metrics = metrics
    this.#log = log
    this.#after = after
  }

  report(reason: DropReason, clientId: string): void {
    this.#metrics.dropped[reason]++
    if (reason === 'offline-qos0') return // the standard's own terms: counted, not worth a line
    const key = `${reason} ${clientId}`
    const untold = this.#untold.get(key)
    if (untold !== undefined) {
      this.#untold.set(key, untold + 1)
      return
    }
    this.#untold.set(key, 0)
    this.#log.log('warn', 'message dropped', { clientId, reason })
    this.#after(quietMs, () => {
      const more = this.#untold.get(key) ?? 0
      this.#untold.delete(key)
      if (more > 0) this.#log.log('warn', `${more} more messages dropped`, { clientId, reason })
    })
  }
}
