/** Size of a buffer that is cut into pieces for shares. */
const slabBytes = 262_144
/** Slabs kept to be used again: what two commits take. */
const mostSlabs = 16

/** Room that one commit took, to be given back when it is on disk. */
export interface Slabs {
  readonly taken: Uint8Array[]
  /** How far the last slab is given out. */
  end: number
}

/**
 * Gives out room for what a commit gathers, cut from large pieces: a buffer of its own for each share would cost more to make, and
 * to clear away, than to fill.
 */
export class SlabPool {
  readonly #free: Uint8Array[] = []

  /** For a commit that begins. */
  begin(): Slabs {
    return { taken: [], end: slabBytes }
  }

  take(slabs: Slabs, bytes: number): Uint8Array {
    if (bytes > slabBytes / 4) return new Uint8Array(bytes)
    if (slabs.end + bytes > slabBytes) {
      slabs.taken.push(this.#free.pop() ?? new Uint8Array(slabBytes))
      slabs.end = 0
    }
    const { end } = slabs
    slabs.end += bytes
    return slabs.taken[slabs.taken.length - 1]!.subarray(end, slabs.end)
  }

  /** The commit is on disk; what was read of it was copied. */
  giveBack(slabs: Slabs): void {
    for (const slab of slabs.taken) if (this.#free.length < mostSlabs) this.#free.push(slab)
  }
}
