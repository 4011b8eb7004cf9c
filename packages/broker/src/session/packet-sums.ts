const mostPacketIds = 65_536
const idsPerPage = 512
/** How many pages all packet ids take. */
const allPages = mostPacketIds / idsPerPage
/** Pages that are kept: those of half of all ids. */
const mostPages = allPages / 2

/** The sums of one page, 4 bytes each; 0: none. */
export type SumPage = Uint8Array

/** A page that has changed. */
export type ChangedPage = readonly [number: number, sums: SumPage]

const gone: SumPage = new Uint8Array(0)

/**
 * What came last under which packet id, in short: for whoever is given again what he has finished with. Bounded: ids are given out in a
 * row, so when there are too many pages the one farthest behind the newest is the oldest, and is let go.
 */
export class PacketSums {
  readonly #pages = new Map<number, Buffer>()

  /** `undefined`: nothing is known. */
  of(packetId: number): number | undefined {
    return this.#pages.get(sumPageOf(packetId))?.readUInt32LE(placeOf(packetId)) || undefined
  }

  /** @returns the pages that are to be written. */
  set(packetId: number, sum: number): readonly ChangedPage[] {
    const number = sumPageOf(packetId)
    const page = this.#pages.get(number) ?? Buffer.alloc(idsPerPage * 4)
    page.writeUInt32LE(sum, placeOf(packetId))
    if (this.#pages.has(number)) return [[number, page]]
    this.#pages.set(number, page)
    return [[number, page], ...this.#letGoOldest(number)]
  }

  clear(): readonly ChangedPage[] {
    const changed = [...this.#pages.keys()].map((number) => [number, gone] as const)
    this.#pages.clear()
    return changed
  }

  /** Puts back a page that was stored. */
  restore(number: number, sums: SumPage): void {
    if (sums.length === idsPerPage * 4) this.#pages.set(number, Buffer.from(sums))
  }

  #letGoOldest(newest: number): readonly ChangedPage[] {
    if (this.#pages.size <= mostPages) return []
    const behind = (number: number): number => (newest - number + allPages) % allPages
    const [oldest] = [...this.#pages.keys()].sort((one, other) => behind(other) - behind(one))
    this.#pages.delete(oldest!)
    return [[oldest!, gone]]
  }
}

function sumPageOf(packetId: number): number {
  return Math.floor(packetId / idsPerPage)
}

function placeOf(packetId: number): number {
  return (packetId % idsPerPage) * 4
}
