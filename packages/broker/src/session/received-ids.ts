const idsPerPage = 1024

/** Ids of one page of the set, as bits. */
export type Page = Uint8Array

/**
 * Packet ids of QoS 2 messages that were received and not yet released by the client. All 65,535 may be open (no 3.1.1
 * client can know a limit), so they are bits, in pages that exist only where they are needed.
 */
export class ReceivedIds {
  #pages: Map<number, Page> | undefined

  has(packetId: number): boolean {
    const page = this.#pages?.get(receivedPageOf(packetId))
    return page !== undefined && (page[(packetId % idsPerPage) >> 3]! & (1 << (packetId & 7))) !== 0
  }

  add(packetId: number): void {
    this.page(receivedPageOf(packetId))[(packetId % idsPerPage) >> 3]! |= 1 << (packetId & 7)
  }

  delete(packetId: number): boolean {
    if (!this.has(packetId)) return false
    this.page(receivedPageOf(packetId))[(packetId % idsPerPage) >> 3]! &= ~(1 << (packetId & 7))
    return true
  }

  /** The bits of a page, as they are from now on. */
  page(number: number): Page {
    let page = this.#pages?.get(number)
    if (!page) {
      page = new Uint8Array(idsPerPage / 8)
      this.#pages ??= new Map()
      this.#pages.set(number, page)
    }
    return page
  }

  /** Puts back a page that was stored. */
  restore(number: number, bits: Page): void {
    this.#pages ??= new Map()
    this.#pages.set(number, bits)
  }
}

export function receivedPageOf(packetId: number): number {
  return Math.floor(packetId / idsPerPage)
}
