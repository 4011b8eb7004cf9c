import type { Accounts } from '../accounts.js'
import type { Answer } from '../handlers/context.js'
import type { Metrics } from '../metrics.js'
import type { Store } from '../store/store.js'
import { shareBytes } from './intake.js'
import type { WaitingForRoom, WaitsForRoom } from './waiting-for-room.js'

interface HeldPublication {
  readonly bytes: number
  /** Goes on with the publication: routes it, and answers its publisher. */
  readonly route: () => Answer
}

interface Given {
  readonly accounts: Pick<Accounts, 'waiting'>
  readonly metrics: Pick<Metrics, 'publishesHeld'>
  readonly store: Pick<Store, 'isLow' | 'endOfPart'>
  readonly waitingForRoom: WaitingForRoom
}

/** Publications of one client that go on before others have their turn. */
const atOnce = 50

/**
 * Publications of one client that wait for room on the disk, in order. Packets behind them that are no publications are handled
 * meanwhile: acknowledgements among them make room.
 */
export class HeldPublications {
  readonly #owner: WaitsForRoom
  readonly #given: Given
  #held: HeldPublication[] = []
  #bytes = 0

  /** @param owner the client's connection: told when there is room. */
  constructor(owner: WaitsForRoom, given: Given) {
    this.#owner = owner
    this.#given = given
  }

  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** False: it is not held, since this connection would have more waiting than its share. */
  hold(bytes: number, route: () => Answer): boolean {
    const { accounts, metrics, waitingForRoom } = this.#given
    if (this.#bytes + bytes > shareBytes(accounts.waiting)) return false
    this.#held.push({ bytes, route })
    this.#count(bytes)
    metrics.publishesHeld++
    waitingForRoom.add(this.#owner)
    return true
  }

  /**
   * There is room: some of them go on, one after another, as long as there is.
   * @param take is given each, to be routed.
   * @param mayGoOn asked before each. Default: it may.
   * @returns whether none is left.
   */
  goOn(take: (route: () => Answer) => void, mayGoOn: () => boolean = () => true): boolean {
    const { store, waitingForRoom } = this.#given
    for (let left = atOnce; !this.isEmpty && left > 0 && !store.isLow && mayGoOn(); left--) {
      const { bytes, route } = this.#held.shift()!
      this.#count(-bytes)
      take(route)
      store.endOfPart()
    }
    if (!this.isEmpty) return false
    waitingForRoom.delete(this.#owner)
    return true
  }

  /** The client has gone: nothing of it goes on. */
  clear(): void {
    this.#count(-this.#bytes)
    this.#held = []
    this.#given.waitingForRoom.delete(this.#owner)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#given.accounts.waiting.add(bytes)
  }
}
