import { CommandError } from './command-error.js'
import type { Terminal } from './terminal.js'

/** What ends a command that waits for messages: a signal from outside, or the time of `--timeout`. */
export class Ending {
  readonly signal: AbortSignal
  readonly #timeout: AbortSignal | undefined
  readonly #seconds: number | undefined

  constructor(terminal: Terminal, seconds: number | undefined) {
    this.#seconds = seconds
    this.#timeout = seconds === undefined ? undefined : AbortSignal.timeout(seconds * 1000)
    this.signal = AbortSignal.any([terminal.stopping(), ...(this.#timeout ? [this.#timeout] : [])])
  }

  /** @throws CommandError with the exit code that mosquitto_sub and mosquitto_rr have for it. */
  throwIfTimedOut(): void {
    if (this.#timeout?.aborted)
      throw new CommandError(`timed out after ${this.#seconds} s; --timeout sets the time`, 27)
  }
}
