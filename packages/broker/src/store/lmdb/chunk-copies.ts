import type { Message } from '../../message.js'

/** Of the chunk a message came in, so much is copied with it: what follows it there is mostly more messages for the same commit. */
const copiedAtOnceBytes = 8_192

/**
 * Takes messages out of the chunks they came in, which are read into again: one copy for those that lie close to one another costs as much
 * as one for each.
 */
export class ChunkCopies {
  readonly #room: (bytes: number) => Uint8Array
  /** The chunk that was copied last, from where on, and what that lies in now. */
  #chunk: Uint8Array | undefined
  #from = 0
  #copy: Uint8Array = nothing

  /** @param room gives out room that stays for as long as the messages are needed. */
  constructor(room: (bytes: number) => Uint8Array) {
    this.#room = room
  }

  /** Whether the message came off the wire and is small enough to be taken: topic to payload, as they came. */
  mayTake({ topicStart, end }: Message): boolean {
    return topicStart >= 0 && end - topicStart <= copiedAtOnceBytes
  }

  /** Answers how many bytes more that takes. */
  take(message: Message): number {
    const { bytes, topicStart, end } = message
    const isThere = bytes === this.#chunk && topicStart >= this.#from && end <= this.#from + this.#copy.length
    if (!isThere) this.#copyFrom(bytes, topicStart)
    message.liesIn(this.#copy, this.#from)
    return isThere ? 0 : this.#copy.length
  }

  #copyFrom(chunk: Uint8Array, from: number): void {
    const end = Math.min(chunk.length, from + copiedAtOnceBytes)
    this.#chunk = chunk
    this.#from = from
    this.#copy = this.#room(end - from)
    this.#copy.set(chunk.subarray(from, end))
  }

  /** The room is no longer given out for the same purpose: what comes is copied anew. */
  begin(): void {
    this.#chunk = undefined
    this.#copy = nothing
  }
}

const nothing = new Uint8Array(0)
