import type { Logger } from '../../log.js'
import type { StoreMetrics } from '../../metrics.js'
import type { CommitLog } from './commit-log.js'

/** Tells once that what makes commits safe has been silent for too long, and once that it is over. */
export class Silence {
  readonly #commits: Pick<CommitLog, 'isSilent'>
  readonly #metrics: StoreMetrics
  readonly #log: Logger
  /** Called when it is over: what has waited for something else meanwhile goes on. */
  onEnd: () => void = () => {}

  constructor(commits: Pick<CommitLog, 'isSilent'>, metrics: StoreMetrics, log: Logger) {
    this.#commits = commits
    this.#metrics = metrics
    this.#log = log
  }

  /** Every second. */
  look(): void {
    const { isSilent } = this.#commits
    if (isSilent === this.#metrics.isSilent) return
    this.#metrics.isSilent = isSilent
    if (isSilent) {
      const words = 'nothing has become safe for too long: what must be kept is refused until something does'
      return this.#log.log('error', words)
    }
    this.#log.log('info', 'what must be kept becomes safe again: nothing is refused any more')
    this.onEnd()
  }
}
