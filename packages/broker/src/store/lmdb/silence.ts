import type { Logger } from '../../log.js'
import type { StoreMetrics } from '../../metrics.js'
import type { CommitLog } from './commit-log.js'

export interface SilenceParts {
  readonly commits: Pick<CommitLog, 'isSilent'>
  readonly metrics: StoreMetrics
  readonly log: Logger
}

/** Tells once that what makes commits safe has been silent for too long, and once that it is over. */
export class Silence {
  readonly #parts: SilenceParts
  /** Called when it is over: what has waited for something else meanwhile goes on. */
  onEnd: () => void = () => {}

  constructor(parts: SilenceParts) {
    this.#parts = parts
  }

  /** Every second. */
  look(): void {
    const { commits, metrics, log } = this.#parts
    const { isSilent } = commits
    if (isSilent === metrics.isSilent) return
    metrics.isSilent = isSilent
    if (isSilent) {
      return log.log('error', 'nothing has become safe for too long: what must be kept is refused until something does')
    }
    log.log('info', 'what must be kept becomes safe again: nothing is refused any more')
    this.onEnd()
  }
}
