import { Duplex } from 'node:stream'

/**
 * Two joined ends of a byte stream inside one process: what is written to one is read from the other. Tests and
 * in-process clients use it as an ordinary connection, without ports.
 */
export function memoryPair(): [Duplex, Duplex] {
  const a = new MemoryEnd()
  const b = new MemoryEnd()
  a.join(b)
  b.join(a)
  return [a, b]
}

class MemoryEnd extends Duplex {
  #other: MemoryEnd | undefined
  /** Set while the other end's last chunk has not been taken. */
  #taken: (() => void) | undefined

  constructor() {
    super({ allowHalfOpen: false })
  }

  join(other: MemoryEnd): void {
    this.#other = other
  }

  override _read(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const other = this.#other
    if (!other || other.destroyed) return callback(new Error('the other end is gone'))
    // A copy: the writer may reuse its buffer as soon as it is told that the write is done.
    if (other.push(Buffer.from(chunk))) callback()
    else other.#taken = callback
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#other?.push(null)
    callback()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const other = this.#other
    this.#other = undefined
    this.#taken?.()
    this.#taken = undefined
    if (other && !other.destroyed) setImmediate(() => other.destroy())
    callback(error)
  }
}
