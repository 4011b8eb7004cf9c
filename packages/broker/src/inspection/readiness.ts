import type { Commit } from '../commit.js'
import type { Metrics, StoreMetrics } from '../metrics.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'

/** Whether clients should be sent to a broker. */
export interface Readiness {
  readonly ready: boolean
  /** Why not, each in words; empty when it is. */
  readonly reasons: readonly string[]
}

interface ReadinessParts {
  readonly store: Pick<Store, 'check'>
  readonly metrics: Metrics
  readonly clock: Clock
  /** Runs `callback` once the commit is flushed. */
  readonly afterCommit: (commit: Commit, callback: () => void) => void
  readonly isOverloaded: () => boolean
}

function inReserve({ freeBytes, reserveBytes }: StoreMetrics): string {
  return `the disk is down to its reserve: ${Math.round(freeBytes)} bytes are left of ${Math.round(reserveBytes)} that stay free`
}

/** How long the disk may take for one commit. */
const patienceMs = 1_000

/** Asks the store for a commit, and looks whether the broker is overloaded. Who asks meanwhile gets the same answer. */
export class ReadinessCheck {
  readonly #parts: ReadinessParts
  #asking: Promise<Readiness> | undefined

  constructor(parts: ReadinessParts) {
    this.#parts = parts
  }

  ask(): Promise<Readiness> {
    this.#asking ??= this.#look().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #look(): Promise<Readiness> {
    const { metrics, isOverloaded } = this.#parts
    const inTime = metrics.commits.failing === undefined && (await this.#commits())
    const { failing } = metrics.commits // it may have failed meanwhile
    const store =
      failing !== undefined
        ? [`the store takes no commits: ${failing}`]
        : inTime
          ? []
          : [`the store has not taken a commit for ${patienceMs} ms`]
    const low = metrics.store.isLow ? [inReserve(metrics.store)] : []
    const silent = metrics.store.isSilent ? ['what must be kept is refused: nothing has become safe for too long'] : []
    const reasons = [
      ...store,
      ...silent,
      ...low,
      ...(isOverloaded() ? ['the broker is overloaded: its event loop is late'] : []),
    ]
    return { ready: reasons.length === 0, reasons }
  }

  /** Whether a commit that means nothing is flushed in time. */
  #commits(): Promise<boolean> {
    const { store, clock, afterCommit } = this.#parts
    return new Promise((resolve) => {
      const cancel = clock.timeout(patienceMs, () => resolve(false))
      afterCommit(store.check(), () => {
        cancel()
        resolve(true)
      })
    })
  }
}
