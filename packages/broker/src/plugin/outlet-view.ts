import type { Clock } from '../time/clock.js'
import type { OutletCounts } from './outlet-options.js'

/** An outlet as it is now. */
export interface OutletView extends Readonly<OutletCounts> {
  /** Client Identifier of the session in which messages wait. */
  readonly clientId: string
  /** Why messages wait, in words: the destination does not take them, or the session is not there. `undefined`: they go out. */
  readonly problem: string | undefined
  /** Since when messages go out, or do not, in epoch ms. */
  readonly since: number
  /** Messages at QoS 1 and 2 that the destination does not have yet. */
  readonly queued: number
}

/** What may keep messages from going out. */
type Part = 'session' | 'destination'

/** Whether messages go out, and since when. */
export class OutletStanding {
  since: number
  readonly #clock: Clock
  readonly #problems = new Map<Part, string>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.since = clock.now()
  }

  get problem(): string | undefined {
    return this.#problems.get('session') ?? this.#problems.get('destination')
  }

  fails(part: Part, why: string): void {
    if (this.#problems.size === 0) this.since = this.#clock.now()
    this.#problems.set(part, why)
  }

  goesOn(part: Part): void {
    if (this.#problems.delete(part) && this.#problems.size === 0) this.since = this.#clock.now()
  }
}
