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
