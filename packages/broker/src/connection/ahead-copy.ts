import type { Writer } from '@godwit/protocol'

/** Most that is copied before it is known to be wanted. */
const mostAheadBytes = 8_192

/**
 * Copies PUBLISH packets from the chunks they came in to the buffers they go out with. What one publisher has sent in a row mostly goes out
 * in a row, with headers as long as they were: then what lies behind a packet is copied with it, and the next one is found in its place.
 * A copy takes a tenth of what a small message costs, however long it is. One for all connections, since what is in a row is not mixed
 * with anything.
 */
export class AheadCopy {
  #source: Uint8Array | undefined
  #target: Uint8Array | undefined
  /** From a place in the source to where that was copied. */
  #distance = 0
  /** Where the last packet ends in the target. */
  #next = 0
  /** Where in the source ends what was copied. */
  #end = 0
  /** How much the next one is to be copied with, if it follows: twice as much as was of use. */
  #ahead = 0

  /**
   * Copies `source[start, end)` to the cursor.
   * @param packetStart where in the writer the packet begins, whose header is there already.
   */
  copy(writer: Writer, packetStart: number, source: Uint8Array, start: number, end: number): void {
    const { bytes, position } = writer
    const follows =
      source === this.#source &&
      bytes === this.#target &&
      packetStart === this.#next &&
      position - start === this.#distance
    if (!follows || end > this.#end) this.#copy(writer, source, start, end, follows ? this.#ahead : 0)
    this.#next = position + end - start
    writer.position = this.#next
  }

  #copy(writer: Writer, source: Uint8Array, start: number, end: number, ahead: number): void {
    const { position } = writer
    writer.ensure(end - start)
    const room = writer.bytes.length - position
    const until = Math.min(end + ahead, start + room, source.length)
    writer.copy(source, start, until)
    this.#source = source
    this.#target = writer.bytes
    this.#distance = position - start
    this.#end = until
    this.#ahead = Math.min((ahead + end - start) * 2, mostAheadBytes)
  }

  /** What is behind the cursor of the last writer may be anything from here on. */
  forget(): void {
    this.#source = undefined
    this.#target = undefined
  }
}
