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
