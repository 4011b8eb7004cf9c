import type { Logger, LogLevel } from '@godwit/broker'
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
export function logOf({ level: least, format }: LogSettings, { stderr }: Terminal, now = () => new Date()): BrokerLog {
  const rank = logLevels.indexOf(least)
  const isText = format === 'auto' ? 'isTTY' in stderr && stderr.isTTY === true : format === 'text'
  const line = isText ? textLine : jsonLine
  return {
    format: isText ? 'text' : 'json',
    log(level, message, fields = {}) {
      if (logLevels.indexOf(level) >= rank) stderr.write(`${line({ at: now(), level, message, fields })}\n`)
    },
  }
}
