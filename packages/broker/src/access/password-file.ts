import { createHmac, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { BrokerError, systemReason } from '../errors.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { type Clock, systemClock } from '../time/clock.js'
import { WatchedFiles, type WatchOptions } from '../watched-files.js'
import { AnswerCache } from './answer-cache.js'
import { HashQueue } from './hash-queue.js'
import type { Authenticator } from './identity.js'
import { hashPassword, parsePasswordHash } from './password-hash.js'
import { type PasswordLine, parsePasswordLines } from './password-lines.js'

export interface PasswordFileOptions extends WatchOptions {
  /** Hashes worked out at once; each of ours takes 32 MiB and a thread of the process's four. Default 2. */
  readonly maxConcurrentHashes?: number
  /** Clients that wait for one. Default 1,000. Beyond: `unavailable`. */
  readonly maxWaiting?: number
  /**
   * Seconds for which a right password is known again without a hash, so that clients that reconnect all at once need
   * not wait for one another; 0 = never. Wrong ones always cost a hash. Default 300.
   */
  readonly cacheSeconds?: number
  /**
   * What is said of a user name that the file does not have: `deny` (the default), or `not mine`, where the next in the chain may
   * know it. It costs the same hash.
   */
  readonly unknown?: 'deny' | 'not mine'
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

const names: NamesOf<PasswordFileOptions> = {
  maxConcurrentHashes: true,
  maxWaiting: true,
  cacheSeconds: true,
  unknown: true,
  clock: true,
  watchMs: true,
  log: true,
}
const mostRemembered = 10_000

/**
 * User names and passwords from a file: lines `user:hash`, made by `godwit passwd` or `mosquitto_passwd`. A client
 * without a user name is not its business. An unknown user is answered as a wrong password is, and costs the same hash.
 * @throws BrokerError `invalid-option`, naming the file, and the line that cannot be used.
 */
export async function passwordFile(path: string, options: PasswordFileOptions = {}): Promise<Authenticator> {
  checkNames(options, names, 'passwordFile')
  const { maxConcurrentHashes = 2, maxWaiting = 1_000, cacheSeconds = 300, clock = systemClock } = options
  const { unknown = 'deny' } = options
  const queue = new HashQueue(maxConcurrentHashes, maxWaiting)
  const right = new AnswerCache<PasswordLine>(cacheSeconds, mostRemembered, clock)
  const stranger = await strangers()
  let lines: ReadonlyMap<string, PasswordLine> = new Map()
  const read = async (): Promise<void> => {
    lines = await parsePasswordLines(await textOf(path), path)
    right.clear()
  }
  const file = await WatchedFiles.open({ ...options, paths: [path], read, name: path })
  return {
    name: 'password file',
    async check({ username, password }) {
      if (username === undefined) return 'not mine'
      const line = lines.get(username)
      const given = password ?? new Uint8Array()
      const key = right.keyOf(username, given)
      if (line && right.get(key) === line) return 'allow'
      const { hash } = line ?? stranger(username, lines)
      const matches = await queue.run(() => hash.matches(given))
      if (matches === undefined) return 'unavailable'
      if (!lines.has(username)) return unknown
      if (!matches || !line || password === undefined || lines.get(username)?.text !== line.text) return 'deny'
      right.set(key, line)
      return 'allow'
    },
    reload: () => file.reload(),
    close: () => file.close(),
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new BrokerError('invalid-option', `cannot read ${path}: ${systemReason(error)}`, { cause: error })
  }
}

/**
 * Chooses the line whose hash an unknown user costs: one of the file's, always the same for the same name, so that its
 * time says nothing either where lines of several kinds stand side by side.
 */
async function strangers(): Promise<(username: string, lines: ReadonlyMap<string, PasswordLine>) => PasswordLine> {
  const secret = randomBytes(32)
  const text = await hashPassword(randomBytes(16))
  const ofNobody: PasswordLine = { text, hash: await parsePasswordHash(text) }
  let from: ReadonlyMap<string, PasswordLine> | undefined
  let choices: readonly PasswordLine[] = []
  return (username, lines) => {
    if (from !== lines) {
      from = lines
      choices = lines.size === 0 ? [ofNobody] : [...lines.values()]
    }
    const number = createHmac('sha256', secret).update(username).digest().readUInt32BE()
    return choices[number % choices.length]!
  }
}
