import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { BrokerError } from '../errors.js'
import type { Logger } from '../log.js'

export interface WatchOptions {
  /** Milliseconds between looks at the file's time and size; 0 = it is read again only when asked to. Default 2,000. */
  readonly watchMs?: number
  /** Told of every new reading, and of what is wrong with it. Default: nobody. */
  readonly log?: Logger
}

/** A file that is read again when it changes. One that is broken then changes nothing. */
export class WatchedFile {
  readonly #path: string
  readonly #load: (text: string) => void | Promise<void>
  readonly #log: Logger | undefined
  readonly #listener: () => void
  #reading: Promise<void> = Promise.resolve()

  /** Reads the file for the first time; whatever is wrong with it is thrown. */
  static async open(
    path: string,
    load: (text: string) => void | Promise<void>,
    { watchMs = 2_000, log }: WatchOptions,
  ): Promise<WatchedFile> {
    const file = new WatchedFile(path, load, log)
    await file.#read()
    // Looking at the path finds what a watch on the file would miss: one put in its place, a symbolic link turned round.
    if (watchMs > 0) watchFile(path, { interval: watchMs, persistent: false }, file.#listener)
    return file
  }

  private constructor(path: string, load: (text: string) => void | Promise<void>, log: Logger | undefined) {
    this.#path = path
    this.#load = load
    this.#log = log
    this.#listener = () => void this.reload().catch(() => {}) // told already
  }

  /** Reads it again; rejects when it is broken, which is logged too. */
  reload(): Promise<void> {
    const next = this.#reading.then(async () => {
      try {
        await this.#read()
        this.#log?.log('info', `read ${this.#path} again`)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#log?.log('error', `${why}; what was read before stays in force`)
        throw error
      }
    })
    this.#reading = next.catch(() => {})
    return next
  }

  close(): void {
    unwatchFile(this.#path, this.#listener)
  }

  async #read(): Promise<void> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (error) {
      throw new BrokerError('invalid-option', `cannot read ${this.#path}: ${(error as Error).message}`, {
        cause: error,
      })
    }
    await this.#load(text)
  }
}
