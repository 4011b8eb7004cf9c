import type { Logger, LogLevel } from '@godwit/broker'
import { type ColorChoice, isTerminal, paintFor } from './colors.js'
import { jsonLine } from './json-log.js'
import type { Terminal } from './terminal.js'
import { textLine } from './text-log.js'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[]

/** `auto`: text for people at a terminal, JSON for whatever else reads stderr. */
export const logFormats = ['auto', 'text', 'json'] as const

export interface LogSettings {
  /** The least to log. */
  readonly level: LogLevel
  readonly format: (typeof logFormats)[number]
}

export interface BrokerLog extends Logger {
  readonly format: 'text' | 'json'
}

/** The log of a running broker, on stderr. */
export function logOf(
  { level: least, format, color }: LogSettings & { readonly color?: ColorChoice | undefined },
  { stderr }: Terminal,
  now = () => new Date(),
): BrokerLog {
  const { red, yellow } = paintFor(stderr, color)
  const painted: Partial<Record<LogLevel, (text: string) => string>> = { error: red, warn: yellow }
  const rank = logLevels.indexOf(least)
  const isText = format === 'auto' ? isTerminal(stderr) : format === 'text'
  const line = isText ? textLine : jsonLine
  return {
    format: isText ? 'text' : 'json',
    log(level, message, fields = {}) {
      if (logLevels.indexOf(level) < rank) return
      const text = line({ at: now(), level, message, fields })
      stderr.write(`${(isText && painted[level]?.(text)) || text}\n`)
    },
  }
}
