import { format } from 'node:util'
import type { Logger } from '@godwit/broker'

/**
 * What libraries print by themselves goes to the log, at `debug`. lmdb prints a stack for each write that fails, between the
 * lines of a log that says in words that a commit has failed, and is read by programs.
 * @returns Call it when the log ends.
 */
export function consoleToLog(log: Logger): () => void {
  const { error, warn } = console
  const tell = (...words: readonly unknown[]): void => {
    const texts = words.map((word) => (word instanceof Error ? word.message : word))
    log.log('debug', 'a library says', { text: format(...texts) })
  }
  Object.assign(console, { error: tell, warn: tell })
  return () => void Object.assign(console, { error, warn })
}
