import type { Basics } from '../basics.js'
import type { Owner } from '../faults.js'
import type { Store } from '../store/store.js'
import type { Chore } from '../time/chores.js'

/** A connection with publications that wait for room on the disk. */
export interface WaitsForRoom extends Owner {
  /** There is room: its publications go on, some of them in this turn. Answers whether all of them have. */
  onRoom(): boolean
}

type Given = Pick<Basics, 'chores' | 'wheel' | 'faults'> & { readonly store: Pick<Store, 'isLow'> }

/** Connections with publications that wait for room on the disk. */
export class WaitingForRoom {
  readonly #waiting = new Set<WaitsForRoom>()
  readonly #given: Given

  constructor(given: Given) {
    this.#given = given
  }

  add(connection: WaitsForRoom): void {
    this.#waiting.add(connection)
  }

  delete(connection: WaitsForRoom): void {
    this.#waiting.delete(connection)
  }

  /** There is room again: publications that waited for it go on, one connection after another. */
  goOn(): void {
    if (this.#waiting.size > 0) this.#given.chores.add(this.#oneAfterAnother())
  }

  *#oneAfterAnother(): Chore {
    const { store, faults, wheel } = this.#given
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
