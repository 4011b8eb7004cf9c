import type { Logger, LogLevel } from '@godwit/broker'
import { type ColorChoice, isTerminal, paintFor } from './colors.js'
import { GatheredLines } from './gathered-lines.js'
import { jsonLine } from './json-log.js'
import { LogFile } from './log-file.js'
import type { Terminal } from './terminal.js'
import { type LogLine, textLine } from './text-log.js'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

/** `auto`: text for people at a terminal, JSON for whatever else reads it. */
export const logFormats = ['auto', 'text', 'json'] as const

export interface LogSettings {
  /** The least to log. */
  readonly level: LogLevel
  readonly format: (typeof logFormats)[number]
  /** A file that lines are added to. Default: none. */
  readonly file?: string | undefined
  /** Whether they go to stderr. Default: where there is no file. */
  readonly stderr?: boolean | undefined
}

export interface BrokerLog extends Logger {
  /** What a reader of it sees: of the file, where there is one. */
  readonly format: 'text' | 'json'
  /** Opens the file anew, when it has been renamed; what fails is told on stderr, and the open one stays. */
  reopen(): void
  /**
   * Makes ready to log otherwise.
   * @throws CommandError for a file that cannot be opened.
   */
  prepare(settings: LogSettings): { commit(): Promise<void>; abandon(): Promise<void> }
  /** Resolves when all lines are written. */
  close(): Promise<void>
}

/** The settings of a log, and what has been opened for them. */
interface InForce {
  readonly settings: LogSettings
  readonly rank: number
  readonly file: LogFile | undefined
  readonly ofFile: Form
  readonly ofStderr: Form
}

/**
 * The log of a running broker.
 * @throws CommandError for a file that cannot be opened.
 */
export function logOf(
  settings: LogSettings & { readonly color?: ColorChoice | undefined; readonly alsoTo?: Logger | undefined },
  terminal: Terminal,
  now = () => new Date(),
): BrokerLog {
  const { color, alsoTo } = settings
  const { stderr } = terminal
  const lines = new GatheredLines(stderr)
  terminal.onExit(() => lines.flush())
  const { red, yellow } = paintFor(stderr, color)
  const painted: Partial<Record<LogLevel, (text: string) => string>> = { error: red, warn: yellow }
  const inForceOf = (given: LogSettings, before?: InForce): InForce => {
    const { level, format, file: path } = given
    const isSameFile = before !== undefined && before.settings.file === path
    return {
      settings: given,
      rank: logLevels.indexOf(level),
      file: isSameFile ? before.file : path === undefined ? undefined : LogFile.open(path, stderr, now),
      ofFile: formOf(format, false),
      ofStderr: formOf(format, isTerminal(stderr)),
    }
  }
  let inForce = inForceOf(settings)
  return {
    get format() {
      return inForce.file ? inForce.ofFile.name : inForce.ofStderr.name
    },
    log(level, message, fields = {}) {
      const { rank, file, ofFile, ofStderr } = inForce
      if (logLevels.indexOf(level) < rank) return
      alsoTo?.log(level, message, fields)
      const line = { at: now(), level, message, fields }
      file?.write(`${ofFile.line(line)}\n`)
      if (!(inForce.settings.stderr ?? !file)) return
      const text = ofStderr.line(line)
      lines.add((ofStderr.name === 'text' && painted[level]?.(text)) || text)
      if (isUrgent(level)) lines.flush()
    },
    reopen: () => inForce.file?.reopen(),
    prepare(given) {
      const next = inForceOf(given, inForce)
      const old = inForce
      return {
        async commit() {
          inForce = next
          if (old.file !== next.file) await old.file?.close()
        },
        async abandon() {
          if (old.file !== next.file) await next.file?.close()
        },
      }
    },
    async close() {
      lines.flush()
      await inForce.file?.close()
    },
  }
}

/** What may be the last that this process says is not kept back. */
function isUrgent(level: LogLevel): boolean {
  return level === 'warn' || level === 'error'
}

interface Form {
  readonly name: 'text' | 'json'
  readonly line: (line: LogLine) => string
}

function formOf(format: LogSettings['format'], isTerminal: boolean): Form {
  const isText = format === 'auto' ? isTerminal : format === 'text'
  return isText ? { name: 'text', line: textLine } : { name: 'json', line: jsonLine }
}
