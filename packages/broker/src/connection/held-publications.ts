import type { Accounts } from '../accounts.js'
import type { Basics } from '../basics.js'
import type { Owner } from '../faults.js'
import type { Answer } from '../handlers/context.js'
import type { Metrics } from '../metrics.js'
import type { Store } from '../store/store.js'
import type { Chore } from '../time/chores.js'
import { mostWaitingBytes } from './intake.js'

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

  /** False: it is not held, since this connection would have more waiting than one may. */
  hold(bytes: number, route: () => Answer): boolean {
    const { accounts, metrics, waitingForRoom } = this.#given
    if (this.#bytes + bytes > mostWaitingBytes(accounts.waiting)) return false
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

/** A connection with publications that wait for room on the disk. */
interface WaitsForRoom extends Owner {
  /** There is room: its publications go on, some of them in this turn. Answers whether all of them have. */
  onRoom(): boolean
}

type WaitingParts = Pick<Basics, 'chores' | 'wheel' | 'faults'> & { readonly store: Pick<Store, 'isLow'> }

/** Connections with publications that wait for room on the disk. */
export class WaitingForRoom {
  readonly #waiting = new Set<WaitsForRoom>()
  readonly #parts: WaitingParts

  constructor(parts: WaitingParts) {
    this.#parts = parts
  }

  add(connection: WaitsForRoom): void {
    this.#waiting.add(connection)
  }

  delete(connection: WaitsForRoom): void {
    this.#waiting.delete(connection)
  }

  /** There is room again: publications that waited for it go on, one connection after another. */
  goOn(): void {
    if (this.#waiting.size > 0) this.#parts.chores.add(this.#oneAfterAnother())
  }

  *#oneAfterAnother(): Chore {
    const { store, faults, wheel } = this.#parts
    for (const connection of this.#waiting) {
      if (store.isLow) return
      try {
        connection.onRoom()
      } catch (error) {
        faults.contain(error, connection, 'going on with what has waited for room')
      }
      yield 64
    }
    if (this.#waiting.size > 0) wheel.after(0, () => this.goOn())
  }
}
