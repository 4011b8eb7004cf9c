import { Writer } from '@godwit/protocol'

/** First size of a connection's output buffer; larger ones go back to the garbage collector. */
const pooledBytes = 16_384
const maxPooled = 256

/** Output buffers that no connection is using: an idle connection holds none. */
export class WriterPool {
  readonly #free: Writer[] = []

  take(): Writer {
    return this.#free.pop() ?? new Writer(pooledBytes)
  }

  /** The writer's bytes must no longer be in use. */
  give(writer: Writer): void {
    if (writer.bytes.length > 4 * pooledBytes || this.#free.length >= maxPooled) return
    writer.reset()
    this.#free.push(writer)
  }
}
