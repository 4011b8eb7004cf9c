/** Cells of the memory that the broker's thread and the one that watches it share. */
export const cells = { beats: 0, inside: 1, last: 2, stop: 3 } as const

/** How often the broker's thread says that it is not blocked, and how often that is looked at. Milliseconds. */
export const beatMs = 100
export const lookMs = 250
/** Blocked for so long it is told, and again each time it has become ten times as long. */
export const toldAfterMs = 1_000
/** A look that comes so late says that the whole process was stopped. */
const stoppedMs = 1_000

/** A function of a plugin that is entered from outside. */
export interface WatchedCall {
  readonly plugin: string
  readonly call: string
}

/** What is to be told. */
interface Blocked {
  readonly message: string
  readonly forMs: number
}

/** Tells from looks at the shared cells whether the broker's thread is blocked, and by whom. */
export class LoopLook {
  #beats = -1
  #changedAt = 0
  #lookedAt = 0
  #tellAt = toldAfterMs

  /**
   * @param now monotonic ms.
   * @param callOf names a call by its number, from 1; `undefined` for 0.
   * @returns what is to be told, if anything.
   */
  look(now: number, cell: Int32Array, callOf: (number: number) => WatchedCall | undefined): Blocked | undefined {
    const beats = Atomics.load(cell, cells.beats)
    const wasStopped = now - this.#lookedAt > lookMs + stoppedMs
    this.#lookedAt = now
    if (beats !== this.#beats || wasStopped) {
      this.#beats = beats
      this.#changedAt = now
      this.#tellAt = toldAfterMs
      return undefined
    }
    const forMs = Math.round(now - this.#changedAt)
    if (forMs < this.#tellAt) return undefined
    this.#tellAt *= 10
    const inside = callOf(Atomics.load(cell, cells.inside))
    return {
      message: inside
        ? `plugin ${inside.plugin} blocks the broker in ${inside.call}`
        : blockedAfter(callOf(Atomics.load(cell, cells.last))),
      forMs,
    }
  }
}

const blockedAfter = (last: WatchedCall | undefined): string =>
  last
    ? `the broker is blocked; the last call of a plugin was ${last.call} of ${last.plugin}`
    : 'the broker is blocked; no plugin has been called'
