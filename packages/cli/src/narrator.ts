import { isTerminal } from './colors.js'
import type { Terminal } from './terminal.js'

interface NarratorOptions {
  readonly debug?: boolean
  readonly quiet?: boolean
}

/** Lines for the person who runs a command, on stderr: what is printed on stdout stays what was asked for. */
export class Narrator {
  readonly #terminal: Terminal
  readonly #command: string
  readonly #debug: boolean
  readonly #quiet: boolean

  constructor(terminal: Terminal, command: string, { debug = false, quiet = false }: NarratorOptions) {
    this.#terminal = terminal
    this.#command = command
    this.#debug = debug
    this.#quiet = quiet
  }

  /** What somebody should know in any case, unless they asked for quiet. */
  warn(text: string): void {
    if (!this.#quiet) this.#terminal.stderr.write(`godwit ${this.#command}: ${text}\n`)
  }

  /** What helps whoever looks on: told on a terminal, and with `--debug`. */
  hint(text: string): void {
    if (this.#debug || isTerminal(this.#terminal.stderr)) this.warn(text)
  }

  /** What only `--debug` tells. */
  debug(text: string): void {
    if (this.#debug) this.warn(text)
  }
}
