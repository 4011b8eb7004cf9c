import type { Logger, LogLevel } from '@godwit/broker'
import { type ColorChoice, isTerminal, paintFor } from './colors.js'
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
  /** Resolves when all lines are in the file. */
  close(): Promise<void>
}

/**
 * The log of a running broker.
 * @throws CommandError for a file that cannot be opened.
 */
export function logOf(
  settings: LogSettings & { readonly color?: ColorChoice | undefined; readonly alsoTo?: Logger | undefined },
  { stderr }: Terminal,
  now = () => new Date(),
): BrokerLog {
  const { level: least, format, file: path, color } = settings
  const { red, yellow } = paintFor(stderr, color)
  const painted: Partial<Record<LogLevel, (text: string) => string>> = { error: red, warn: yellow }
  const rank = logLevels.indexOf(least)
  const file = path === undefined ? undefined : LogFile.open(path, stderr, now)
  const ofStderr = formOf(format, isTerminal(stderr))
  const ofFile = formOf(format, false)
  const toStderr = settings.stderr ?? !file
  return {
    format: file ? ofFile.name : ofStderr.name,
    log(level, message, fields = {}) {
      if (logLevels.indexOf(level) < rank) return
      settings.alsoTo?.log(level, message, fields)
      const line = { at: now(), level, message, fields }
      file?.write(`${ofFile.line(line)}\n`)
      if (!toStderr) return
      const text = ofStderr.line(line)
      stderr.write(`${(ofStderr.name === 'text' && painted[level]?.(text)) || text}\n`)
    },
    reopen: () => file?.reopen(),
    close: async () => file?.close(),
  }
}

function formOf(
  format: LogSettings['format'],
  isTerminal: boolean,
): { readonly name: 'text' | 'json'; readonly line: (line: LogLine) => string } {
  const isText = format === 'auto' ? isTerminal : format === 'text'
  return isText ? { name: 'text', line: textLine } : { name: 'json', line: jsonLine }
}
