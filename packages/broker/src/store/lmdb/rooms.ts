/** What rooms are cut from. */
const slabBytes = 262_144
/** Slabs kept to be used again: what two commits take. */
const mostSlabs = 16

/** Room that one commit took, to be given back when it is on disk. */
export interface Rooms {
  readonly slabs: Uint8Array[]
  /** How far the last slab is given out. */
  end: number
}

/**
 * Gives out room for what a commit gathers, cut from large pieces: a buffer of its own for each share would cost more to make, and
 * to clear away, than to fill.
 */
export class RoomPool {
  readonly #free: Uint8Array[] = []

  /** For a commit that begins. */
  begin(): Rooms {
    return { slabs: [], end: slabBytes }
  }

  take(rooms: Rooms, bytes: number): Uint8Array {
    if (bytes > slabBytes / 4) return new Uint8Array(bytes)
    if (rooms.end + bytes > slabBytes) {
      rooms.slabs.push(this.#free.pop() ?? new Uint8Array(slabBytes))
      rooms.end = 0
    }
    const { end } = rooms
    rooms.end += bytes
    return rooms.slabs[rooms.slabs.length - 1]!.subarray(end, rooms.end)
  }

  /** The commit is on disk, and nobody holds on to any of it. */
  giveBack(rooms: Rooms): void {
    for (const slab of rooms.slabs) if (this.#free.length < mostSlabs) this.#free.push(slab)
  }
}
