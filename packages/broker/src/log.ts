export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Facts beside a log line: client id, address, reason. Never payloads, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Where the broker tells what it does. The default tells nobody. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void
}

export const silentLogger: Logger = { log() {} }

/** The same, but never throws: a log that fails must not take what it tells of with it. */
export function unfailing(log: Logger): Logger {
  return {
    log(level, message, fields) {
      try {
        log.log(level, message, fields)
      } catch {
        // there is nobody to tell
      }
    },
  }
}

/** How long lines about the same thing are gathered into one. */
const quietMs = 10_000

/** One line of the log, and how several of its kind are told of together. */
export interface Line {
  readonly level: LogLevel
  /** What makes two lines the same. */
  readonly kind: string
  readonly one: string
  /** Follows the number of those that came after the first. */
  readonly many: string
  /** Of the one that is told at once. */
  readonly fields: LogFields
  /** What of it holds for all of the kind. */
  readonly common: LogFields
}

/** The first of a kind is told at once, and those that follow are told together: a flood of events is not a flood of lines. */
export class QuietLines {
  readonly #log: Logger
  readonly #after: (ms: number, callback: () => void) => void
  /** What came since the last line, by kind. */
  readonly #untold = new Map<string, number>()

  constructor(log: Logger, after: (ms: number, callback: () => void) => void) {
    this.#log = log
    this.#after = after
  }

  tell({ level, kind, one, many, fields, common }: Line): void {
    const untold = this.#untold.get(kind)
    if (untold !== undefined) {
      this.#untold.set(kind, untold + 1)
      return
    }
    this.#untold.set(kind, 0)
    this.#log.log(level, one, fields)
    this.#after(quietMs, () => {
      const more = this.#untold.get(kind) ?? 0
      this.#untold.delete(kind)
      if (more > 0) this.#log.log(level, `${more} more ${many}`, common)
    })
  }
}
