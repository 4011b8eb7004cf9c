import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A file that is read piece by piece. */
export class PageFile {
  readonly size: number
  readonly #file: number

  /** @throws the system's error when it cannot be opened. */
  constructor(path: string) {
    this.#file = openSync(path, 'r')
    this.size = fstatSync(this.#file).size
  }

  /** What lies behind the end reads as zeros. @throws the system's error when the disk cannot read it. */
  read(into: Uint8Array, at: number): void {
    let done = 0
    while (done < into.length) {
      const count = readSync(this.#file, into, done, into.length - done, at + done)
      if (count === 0) return void into.fill(0, done)
      done += count
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** A set of page numbers: a bit a page. */
export class PageSet {
  readonly #bits: Uint32Array
  size = 0

  constructor(pages: number) {
    this.#bits = new Uint32Array(Math.ceil(pages / 32))
  }

  has(page: number): boolean {
    return (this.#bits[page >>> 5]! & (1 << (page & 31))) !== 0
  }

  /** False: it was there already. */
  add(page: number): boolean {
    if (this.has(page)) return false
    this.#bits[page >>> 5]! |= 1 << (page & 31)
    this.size++
    return true
  }
}
