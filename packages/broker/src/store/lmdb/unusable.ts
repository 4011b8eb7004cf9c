import { BrokerError } from '../../errors.js'

/** One line that names the folder and what to do. */
export function unusable(directory: string, what: string, cause?: unknown): BrokerError {
  return new BrokerError('store-failed', `the data folder ${directory} ${what}`, { cause })
}

/** A folder that the system does not let us make or write to. */
export function notWritable(directory: string, cause: unknown): BrokerError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  const what = `cannot be made or written to (${code}); choose another folder or change its owner`
  return unusable(directory, what, cause)
}

/** Data of which something cannot be read; what says already what to do about it, stays as it is. */
export function unreadable(directory: string, cause: unknown): BrokerError {
  if (cause instanceof BrokerError) return cause
  const why = cause instanceof Error ? cause.message : cause
  const what = `cannot be read (${why}); see "godwit store check", restore it from a backup, or choose another folder`
  return unusable(directory, what, cause)
}

/** A file that is not as it was written, where nothing can be read past it. */
export function damaged(directory: string, what: string): BrokerError {
  const words = `the data folder ${directory} is damaged: ${what}; "godwit store check ${directory}" tells more, "godwit store repair" saves what can be read; or restore it from a backup`
  return new BrokerError('store-damaged', words)
}
