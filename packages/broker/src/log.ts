export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Facts beside a log line: client id, address, reason. Never payloads, never secrets. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Where the broker tells what it does. The default tells nobody. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void
}

export const silentLogger: Logger = { log() {} }
