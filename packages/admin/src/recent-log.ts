import type { LogFields, Logger, LogLevel } from '@godwit/broker'
import type { Log, LogLine } from './parts.js'

const mostLines = 1_000
/** Of all texts together. */
const mostBytes = 1024 * 1024
/** Of one text: what a client says may be in it. */
const mostText = 4_096

/**
 * The last lines of a log, in memory: 1,000 at most, and 1 MiB. Give it to a broker as `log`, with the logger that it passes each
 * line on to, and to {@link adminApi} as `log`.
 */
export class RecentLog implements Log, Logger {
  readonly #next: Logger
  readonly #now: () => number
  #lines: LogLine[] = []
  #bytes = 0
  readonly #listeners = new Set<(line: LogLine) => void>()

  /** @param next is told each line too. Default: nobody. @param now epoch ms. */
  constructor(next: Logger = { log() {} }, now: () => number = Date.now) {
    this.#next = next
    this.#now = now
  }

  log(level: LogLevel, message: string, fields: LogFields = {}): void {
    this.#next.log(level, message, fields)
    const line = { at: this.#now(), level, message: short(message), fields: shortFields(fields) }
    this.#lines.push(line)
    this.#bytes += bytesOf(line)
    while (this.#lines.length > mostLines || this.#bytes > mostBytes) this.#bytes -= bytesOf(this.#lines.shift()!)
    for (const listener of this.#listeners) listener(line)
  }

  last(count: number): readonly LogLine[] {
    return this.#lines.slice(Math.max(0, this.#lines.length - count))
  }

  listen(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

function short(text: string): string {
  return text.length <= mostText ? text : `${text.slice(0, mostText)}…`
}

function shortFields(fields: LogFields): LogFields {
  const shown: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) shown[name] = typeof value === 'string' ? short(value) : value
  }
  return shown
}

function bytesOf({ message, fields }: LogLine): number {
  let bytes = 64 + message.length
  for (const [name, value] of Object.entries(fields)) bytes += 16 + name.length + String(value).length
  return bytes
}
