import type { AuthenticateRequest, Claims, Logger } from '@godwit/broker'
import { AnswerCache, type Authenticator, HashQueue, parsePasswordHash, type Verdict } from '@godwit/broker/access'
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

  const ask = async (values: readonly (string | undefined)[], request: AuthenticateRequest): Promise<Verdict> => {
    const [row] = await database.query(query, values)
    if (!row) return 'not mine'
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
      } catch (error) {
        counts.failed++
        log.log('error', 'users cannot be asked for: nobody is let in by it', { error: (error as Error).message })
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
    throw new Error(`the answer has no column password_hash, and none that is called allowed`)
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
