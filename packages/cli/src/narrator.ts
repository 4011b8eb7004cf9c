import type { Terminal } from './terminal.js'

/** Lines for the person who runs a command, on stderr: what is printed on stdout stays what was asked for. */
export class Narrator {
  readonly #terminal: Terminal
  readonly #command: string
  readonly #debug: boolean

  constructor(terminal: Terminal, command: string, debug: boolean) {
    this.#terminal = terminal
    this.#command = command
    this.#debug = debug
  }

  /** What somebody should know in any case. */
  warn(text: string): void {
    this.#terminal.stderr.write(`godwit ${this.#command}: ${text}\n`)
  }

  /** What only `--debug` tells. */
  debug(text: string): void {
    if (this.#debug) this.warn(text)
  }
}
