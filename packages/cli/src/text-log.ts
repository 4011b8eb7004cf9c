import type { LogFields, LogLevel } from '@godwit/broker'

/** One thing a log tells. */
export interface LogLine {
  readonly at: Date
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

/** What could end a line, move the cursor, turn the text around or not be seen: Unicode's categories C, Zl and Zp. */
export const unsafe: RegExp = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * A log line for people: time, level, message, `key=value` …
 *
 * Values come from clients. A value is printed bare only when it is plain; any other is quoted and escaped as in JSON,
 * so that no client id can end a line, forge a field or disturb the terminal.
 */
export function textLine({ at, level, message, fields }: LogLine): string {
  let line = `${at.toISOString()} ${level.padEnd(5)} ${escaped(message)}`
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${key}=${printed(value)}`
  }
  return line
}

/** A value as it stands in a line of text: bare when it is plain, else quoted and escaped. */
export function printed(value: string | number | boolean): string {
  const text = String(value)
  return /^[\w.:/@$+-]+$/.test(text) ? text : escaped(JSON.stringify(text))
}

function escaped(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
