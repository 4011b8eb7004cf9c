import { Writer } from '@godwit/protocol'

/** First size of a connection's output buffer: some replies and small messages. It doubles when it must. */
const firstBytes = 2048
/** Larger ones go back to the garbage collector. */
const largestBytes = 262_144
/** All that the pool keeps. */
const mostBytes = 8_388_608

/** Output buffers that no connection is using: an idle connection holds none. */
export class WriterPool {
  readonly #free: Writer[] = []
  #bytes = 0

  take(): Writer {
    const writer = this.#free.pop()
    if (!writer) return new Writer(firstBytes)
    this.#bytes -= writer.bytes.length
    return writer
  }

  /** Gives a writer back; nobody may use its bytes any more. */
  give(writer: Writer): void {
    const { length } = writer.bytes
    if (length > largestBytes || this.#bytes + length > mostBytes) return
    writer.reset()
    this.#bytes += length
    this.#free.push(writer)
  }
}
