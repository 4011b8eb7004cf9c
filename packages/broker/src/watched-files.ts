import { unwatchFile, watchFile } from 'node:fs'
import type { Logger } from './log.js'

export interface WatchOptions {
  /** Milliseconds between looks at a file's time and size; 0 = it is read again only when asked to. Default 1,000. */
  readonly watchMs?: number
  /** Told of every new reading, and of what is wrong with it. Default: nobody. */
  readonly log?: Logger
}

interface WatchedFilesOptions extends WatchOptions {
  readonly paths: readonly string[]
  /** Reads all of them, and takes up what they say; throws when it cannot be used, and has changed nothing then. */
  readonly read: () => Promise<void>
  /** What they are, in words for the log. */
  readonly name: string
}

/** How long files must be at rest before they are read: one is not half written then, and its companion has come too. */
const mostRestMs = 500

/** Files that are read again when one of them changes. What is broken then changes nothing. */
export class WatchedFiles {
  readonly #options: WatchedFilesOptions
  readonly #restMs: number
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> = Promise.resolve()

  /** Reads them for the first time; whatever is wrong with them is thrown. */
  static async open(options: WatchedFilesOptions): Promise<WatchedFiles> {
    const files = new WatchedFiles(options) // first, so that no change falls between the reading and the first look
    try {
      await options.read()
      return files
    } catch (error) {
      files.close()
      throw error
    }
  }

  private constructor(options: WatchedFilesOptions) {
    const { paths, watchMs = 1_000 } = options
    this.#options = options
    this.#restMs = Math.min(mostRestMs, watchMs)
    if (watchMs === 0) return
    // Looking at paths finds what a watch on the files would miss: one put in another's place, a symbolic link turned round.
    for (const path of paths) watchFile(path, { interval: watchMs, persistent: false }, this.#changed)
  }

  readonly #changed = (): void => {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.reload().catch(() => {}), this.#restMs).unref() // what fails is told already
  }

  /** Reads them again; rejects when they are broken, which is logged too. */
  reload(): Promise<void> {
    const { read, name, log } = this.#options
    const next = this.#reading.then(async () => {
      try {
        await read()
        log?.log('info', `read ${name} again`)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        log?.log('error', `${why}; what was read before stays in force`)
        throw error
      }
    })
    this.#reading = next.catch(() => {})
    return next
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const path of this.#options.paths) unwatchFile(path, this.#changed)
  }
}
