import type { Basics } from '../basics.js'
import type { Descriptors } from '../descriptors.js'

const everyMs = 10_000

/** Looks after the descriptors of the process from the first listener on: warns when there are too few, and tells when there are none. */
export class DescriptorWatch {
  readonly #descriptors: Descriptors
  readonly #given: Pick<Basics, 'limits' | 'log' | 'wheel'>
  readonly #each: number
  #isOn = false

  /** @param each descriptors that one client takes. Default 1. */
  constructor(descriptors: Descriptors, given: Pick<Basics, 'limits' | 'log' | 'wheel'>, each = 1) {
    this.#descriptors = descriptors
    this.#given = given
    this.#each = each
  }

  /** A second call does nothing. */
  start(): void {
    if (this.#isOn) return
    this.#isOn = true
    this.warn()
    this.#look()
  }

  /** Warns when there are fewer than the limit of connections needs: that may be another now. */
  warn(): void {
    if (!this.#isOn) return
    const { limits, log } = this.#given
    const problem = this.#descriptors.shortFor(limits.maxConnections, this.#each)
    if (problem !== undefined) log.log('warn', problem)
  }

  #look(): void {
    this.#given.wheel.after(everyMs, () => {
      this.#look() // first: one that fails must not be the last
      this.#descriptors.look()
    })
  }
}
