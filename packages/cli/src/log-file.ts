import { accessSync, constants, createWriteStream, openSync, statSync, type WriteStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { CommandError } from './command-error.js'
import { systemProblem } from './system-problem.js'

/** Bytes that wait for the disk; beyond, lines are left out, and counted. */
const mostWaiting = 1024 * 1024

/** A file that lines are added to, and that may be renamed while it is written (logrotate). */
export class LogFile {
  readonly #path: string
  readonly #stderr: Writable
  readonly #now: () => Date
  #stream: WriteStream
  #lost = 0
  /** Whether stderr knows that lines are lost. */
  #isTold = false
  /** The files before the last renaming, until all of their lines are in them. */
  readonly #closing = new Set<Promise<void>>()

  /**
   * Makes the file, readable by its user and group, or opens the one that is there.
   * @param stderr is told what is wrong with it later.
   * @throws CommandError
   */
  static open(path: string, stderr: Writable, now: () => Date = () => new Date()): LogFile {
    try {
      return new LogFile(path, openForAppend(path), stderr, now)
    } catch (error) {
      throw new CommandError(`cannot write the log ${resolve(path)}: ${systemProblem(error)}; name another log.file`)
    }
  }

  private constructor(path: string, fd: number, stderr: Writable, now: () => Date) {
    this.#path = path
    this.#stderr = stderr
    this.#now = now
    this.#stream = this.#streamOn(fd)
  }

  write(line: string): void {
    if (this.#stream.destroyed) this.#tryAgain()
    if (this.#stream.destroyed || this.#stream.writableLength > mostWaiting) {
      this.#lost++
      return
    }
    if (this.#lost > 0) {
      this.#stream.write(`${this.#lost} lines are missing here: the disk could not take them\n`)
      this.#lost = 0
    }
    this.#stream.write(line, (error) => {
      if (!error) this.#isTold = false
    })
  }

  /** Goes on in the file that has this name now; where that cannot be, in the old one. */
  reopen(): void {
    let fd: number
    try {
      fd = openForAppend(this.#path)
    } catch (error) {
      this.#tell(`cannot open the log anew: ${systemProblem(error)}; it goes on in the old file`)
      return
    }
    this.#end(this.#stream)
    this.#isTold = false
    this.#stream = this.#streamOn(fd)
  }

  async close(): Promise<void> {
    this.#end(this.#stream)
    await Promise.all(this.#closing)
  }

  #streamOn(fd: number): WriteStream {
    const stream = createWriteStream(this.#path, { fd })
    stream.on('error', (error) => {
      this.#lost++ // that line at least
      if (!this.#isTold) this.#tell(`cannot write the log: ${systemProblem(error)}; lines are lost`)
      this.#isTold = true
    })
    return stream
  }

  /** A stream that has failed takes no more. */
  #tryAgain(): void {
    try {
      this.#stream = this.#streamOn(openForAppend(this.#path))
    } catch {
      // told already
    }
  }

  #end(stream: WriteStream): void {
    const ended = new Promise<void>((done) => {
      stream.once('close', done)
      if (stream.closed) done()
      else stream.end()
    })
    this.#closing.add(ended)
    void ended.then(() => this.#closing.delete(ended))
  }

  #tell(what: string): void {
    this.#stderr.write(`${this.#now().toISOString()} error ${this.#path}: ${what}\n`)
  }
}

/** `a`: every write goes to the end, whoever has shortened the file meanwhile. */
function openForAppend(path: string): number {
  return openSync(path, 'a', 0o640)
}

/**
 * Whether a log could be written there, without making the file.
 * @throws CommandError
 */
export function checkLogFile(path: string): void {
  const file = resolve(path)
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found?.isDirectory()) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' })
    accessSync(found ? file : dirname(file), constants.W_OK)
  } catch (error) {
    throw new CommandError(`cannot write the log ${file}: ${systemProblem(error)}; name another log.file`)
  }
}
