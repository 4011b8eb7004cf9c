import { randomBytes } from 'node:crypto'
import type { AuthenticateRequest, Claims, Logger } from '@godwit/broker'
import {
  AnswerCache,
  type Authenticator,
  HashQueue,
  hashPassword,
  type PasswordHash,
  parsePasswordHash,
  type Verdict,
} from '@godwit/broker/access'
import type { PluginContext } from '@godwit/broker/plugin'
import type { Database } from './database.js'
import { type PostgresOptions, parametersIn } from './options.js'

/** What was asked about users. */
export interface UserCounts {
  asked: number
  cached: number
  failed: number
}

const mostRemembered = 10_000
/** Hashes worked out at once, and clients that wait for one, as for a password file. */
const hashesAtOnce = 2
const mostWaiting = 1_000

/** Users of a database. Where that gives no answer nobody is let in by it, and nobody after it is asked. */
export function databaseUsers(
  options: NonNullable<PostgresOptions['users']>,
  { log, clock }: Pick<PluginContext, 'log' | 'clock'>,
  database: Database,
  counts: UserCounts,
): Authenticator {
  const { query, cacheSeconds } = options
  const parameters = parametersIn(query)
  const known = new AnswerCache<Verdict>(cacheSeconds, mostRemembered, clock)
  const hashes = new HashQueue(hashesAtOnce, mostWaiting)

  /** Nobody from here; told after the time of a wrong password, where the plugin compares them. */
  const stranger = async ({ password }: AuthenticateRequest): Promise<Verdict> => {
    if (parameters >= 2) return 'not mine'
    nobody ??= hashPassword(randomBytes(16)).then(parsePasswordHash)
    const { matches } = await nobody
    const compared = await hashes.run(() => matches(password ?? new Uint8Array()))
    return compared === undefined ? 'unavailable' : 'not mine'
  }
  let nobody: Promise<PasswordHash> | undefined

  const ask = async (values: readonly (string | undefined)[], request: AuthenticateRequest): Promise<Verdict> => {
    const [row] = await database.ask(query, values)
    if (!row) return stranger(request)
    const isRight = await isAllowed(row, request, hashes, log)
    if (isRight === undefined) return 'unavailable'
    if (!isRight) return 'deny'
    return isClaims(row.claims) ? { claims: row.claims } : 'allow'
  }

  return {
    name: 'postgres users',
    async check(request) {
      const { username, password, clientId, address } = request
      if (username === undefined) return 'not mine'
      const values = [username, password?.toString(), clientId, address].slice(0, parameters)
      const key = known.keyOf(username, password, ...values.slice(2))
      const before = known.get(key)
      if (before !== undefined) {
        counts.cached++
        return before
      }
      counts.asked++
      try {
        const verdict = await ask(values, request)
        if (verdict === 'allow' || typeof verdict === 'object') known.set(key, verdict)
        return verdict
      } catch {
        counts.failed++ // the log has been told
        return 'unavailable'
      }
    },
  }
}

/** `undefined`: it cannot be told now. */
async function isAllowed(
  row: Readonly<Record<string, unknown>>,
  { username, password }: AuthenticateRequest,
  hashes: HashQueue,
  log: Logger,
): Promise<boolean | undefined> {
  if ('allowed' in row) return row.allowed === true
  const { password_hash: text } = row
  if (typeof text !== 'string') {
    log.log('error', 'a row of users has no column password_hash, and none that is called allowed')
    return undefined
  }
  try {
    const hash = await parsePasswordHash(text)
    if (password === undefined) return false
    return await hashes.run(() => hash.matches(password))
  } catch (error) {
    log.log('warn', 'a password cannot be used', { username, error: (error as Error).message })
    return false
  }
}

const isClaims = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
