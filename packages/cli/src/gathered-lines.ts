import type { Writable } from 'node:stream'

/** How long a line waits for others. */
const waitMs = 20
/** More characters than these do not wait. */
const mostWaiting = 65_536

/**
 * Lines for a stream, those of a moment in one write: when a fleet comes there are two for each of its clients, and writing one by
 * itself takes several times what making it takes.
 */
export class GatheredLines {
  readonly #stream: Writable
  #waiting = ''
  readonly #flush = (): void => this.flush()

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Without its line feed. Written 20 ms later with all that have come meanwhile; sooner when they are many, or by {@link flush}. */
  add(line: string): void {
    if (this.#waiting === '') setTimeout(this.#flush, waitMs)
    this.#waiting += `${line}\n`
    if (this.#waiting.length > mostWaiting) this.flush()
  }

  /** Writes what waits. */
  flush(): void {
    const lines = this.#waiting
    this.#waiting = ''
    if (lines !== '') this.#stream.write(lines)
  }
}
