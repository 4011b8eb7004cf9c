import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

/** The lines of a password file, comments and all. */
export class PasswdFile {
  readonly #path: string
  #lines: readonly string[]

  private constructor(path: string, lines: readonly string[]) {
    this.#path = path
    this.#lines = lines
  }

  /** One that has no lines yet, whatever was there. */
  static empty(path: string): PasswdFile {
    return new PasswdFile(path, [])
  }

  /** @throws CommandError */
  static read(path: string): PasswdFile {
    try {
      const lines = readFileSync(path, 'utf8').split(/\r?\n/)
      return new PasswdFile(path, lines.at(-1) === '' ? lines.slice(0, -1) : lines)
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      throw new CommandError(`cannot read ${path}: ${systemProblem(error)}${isMissing ? '; -c makes a new one' : ''}`)
    }
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('')
  }

  /** Gives the user this hash: in its line, or in a new one at the end. */
  set(user: string, hash: string): 'added' | 'changed' {
    const line = `${user}:${hash}`
    const isKnown = this.#lines.some((known) => isOf(known, user))
    this.#lines = isKnown ? this.#lines.map((known) => (isOf(known, user) ? line : known)) : [...this.#lines, line]
    return isKnown ? 'changed' : 'added'
  }

  /** @returns whether there was such a user. */
  delete(user: string): boolean {
    const rest = this.#lines.filter((line) => !isOf(line, user))
    const wasKnown = rest.length < this.#lines.length
    this.#lines = rest
    return wasKnown
  }

  /**
   * Puts the new file in the place of the old one, whole or not at all, readable by its owner alone.
   * @throws CommandError
   */
  write(): void {
    try {
      const target = existsSync(this.#path) ? realpathSync(this.#path) : this.#path // a link stays one
      const owner = statSync(target, { throwIfNoEntry: false })
      const temporary = `${target}.${process.pid}.new`
      try {
        const file = openSync(temporary, 'wx', 0o600)
        try {
          writeSync(file, this.text)
          fsyncSync(file)
        } finally {
          closeSync(file)
        }
        // Written by root for the broker's own user, it still is that user's to read.
        if (owner && owner.uid !== process.getuid?.()) chownSync(temporary, owner.uid, owner.gid)
        renameSync(temporary, target)
      } catch (error) {
        rmSync(temporary, { force: true })
        throw error
      }
    } catch (error) {
      throw new CommandError(`cannot write ${this.#path}: ${systemProblem(error)}; it is as it was`)
    }
  }
}

/** A hash has no colon; whatever is before the last one is the user. */
const isOf = (line: string, user: string): boolean =>
  !line.startsWith('#') && line.includes(':') && line.slice(0, line.lastIndexOf(':')) === user
