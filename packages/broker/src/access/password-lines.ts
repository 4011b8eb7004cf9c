import { BrokerError } from '../errors.js'
import { type PasswordHash, PasswordHashError, parsePasswordHash } from './password-hash.js'

/** What a user's password was hashed to. */
export interface PasswordLine {
  /** The hash as it stands in the file. */
  readonly text: string
  readonly hash: PasswordHash
}

/**
 * Reads the lines `user:hash` of a password file, ours or mosquitto's. Empty lines and those that begin with `#` mean
 * nothing.
 * @param file its name, for messages.
 * @throws BrokerError `invalid-option`, naming file and line; of a line that needs an optional package, the package.
 */
export async function parsePasswordLines(text: string, file: string): Promise<ReadonlyMap<string, PasswordLine>> {
  const lines = new Map<string, PasswordLine>()
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const fail = (problem: string): never => {
      throw new BrokerError('invalid-option', `${file}:${at + 1}: ${problem}`)
    }
    const colon = line.lastIndexOf(':') // a hash has none, a user name may
    const user = line.slice(0, colon)
    if (colon < 1) fail('a line is USER:HASH; make it with godwit passwd')
    if (lines.has(user)) fail(`the user '${user}' has a line already; remove one`)
    const hash = line.slice(colon + 1).trim()
    try {
      lines.set(user, { text: hash, hash: await parsePasswordHash(hash) })
    } catch (error) {
      if (!(error instanceof PasswordHashError)) throw error
      fail(error.message)
    }
  }
  return lines
}
