import type { Claims } from '../hooks/client-info.js'
import type { AuthenticateRequest } from '../hooks/hooks.js'
import { type Logger, silentLogger } from '../log.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { patientTimeout } from '../patient-timeout.js'
import { type Clock, systemClock } from '../time/clock.js'
import { AnswerCache } from './answer-cache.js'
import type { Authenticator, Verdict } from './identity.js'
import { serviceUrl } from './service-url.js'

export interface HttpAuthenticationOptions {
  /** Where to ask: a POST of JSON. https, or this machine. */
  readonly url: string
  /** Lets `url` go without TLS to another machine. Default false. */
  readonly allowHttp?: boolean
  /** Sent along, such as `{ authorization: 'Bearer …' }`. Default none. */
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds for the whole answer. Default 2,000. */
  readonly timeoutMs?: number
  /** Seconds for which an answer holds for the same client and credentials; 0 = none is kept. Default 60. */
  readonly cacheSeconds?: number
  /** Requests under way at once. Default 100. Beyond: `unavailable`. */
  readonly maxConcurrent?: number
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

/** An HTTP authenticator counts what it could not ask. */
export interface HttpAuthenticator extends Authenticator {
  readonly counts: Readonly<Record<'asked' | 'cached' | 'failed', number>>
}

const names: NamesOf<HttpAuthenticationOptions> = {
  url: true,
  allowHttp: true,
  headers: true,
  timeoutMs: true,
  cacheSeconds: true,
  maxConcurrent: true,
  log: true,
  clock: true,
}
const mostRemembered = 10_000
const mostAnswerBytes = 65_536

/**
 * Asks a service. It is sent `{ clientId, username, password, address, version }`, the password as text (UTF-8), and
 * answers 200 with `{ "result": "allow" | "deny" | "ignore" }`, to `allow` perhaps `username`, `claims` and
 * `expiresInSeconds`; `ignore` leaves the client to the next in the chain. Anything else is a failure, and lets nobody in.
 * @throws BrokerError `invalid-option`.
 */
export function httpAuthentication(options: HttpAuthenticationOptions): HttpAuthenticator {
  checkNames(options, names, 'httpAuthentication')
  const { allowHttp = false, headers = {}, timeoutMs = 2_000, cacheSeconds = 60, maxConcurrent = 100 } = options
  const { log = silentLogger, clock = systemClock } = options
  const url = serviceUrl('url', options.url, allowHttp)
  const known = new AnswerCache<Answer>(cacheSeconds, mostRemembered, clock)
  const counts = { asked: 0, cached: 0, failed: 0 }
  let underWay = 0

  const ask = async (request: AuthenticateRequest): Promise<Answer> => {
    const late = new AbortController()
    const cancelTimeout = patientTimeout(timeoutMs, () => late.abort(new Error(`no answer in ${timeoutMs} ms`)))
    try {
      return await answerTo(request, late.signal)
    } finally {
      cancelTimeout()
    }
  }

  const answerTo = async (request: AuthenticateRequest, signal: AbortSignal): Promise<Answer> => {
    const { clientId, username, password, address, version } = request
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        clientId,
        username,
        password: password && Buffer.from(password).toString(),
        address,
        version,
      }),
      redirect: 'error', // the password is for this service only
      signal,
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`the answer has status ${response.status}, not 200`)
    }
    return answerOf(JSON.parse(await bodyOf(response)), clock)
  }

  return {
    name: 'http authentication',
    counts,
    async check(request) {
      const { clientId, username, password, address } = request
      const key = known.keyOf(clientId, username, password, address)
      const before = known.get(key)
      if (before && before.until > clock.monotonic()) {
        counts.cached++
        return verdictOf(before, clock)
      }
      if (underWay >= maxConcurrent) {
        counts.failed++
        return 'unavailable'
      }
      underWay++
      counts.asked++
      try {
        const answer = await ask(request)
        known.set(key, answer)
        return verdictOf(answer, clock)
      } catch (error) {
        counts.failed++
        log.log('error', 'http authentication failed', { clientId, why: whyOf(error) })
        return 'unavailable'
      } finally {
        underWay--
      }
    },
  }
}

interface Answer {
  readonly verdict: Verdict
  /** When it stops being true, on the monotonic clock: the service has said for how long it is. */
  readonly until: number
}

/** With the moment at which it ends, by the clock as it goes now. */
function verdictOf({ verdict, until }: Answer, clock: Clock): Verdict {
  if (typeof verdict !== 'object' || until === Number.POSITIVE_INFINITY) return verdict
  return { ...verdict, expiresAt: clock.now() + until - clock.monotonic() }
}

/** `fetch` hides the reason behind "fetch failed". */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > mostAnswerBytes) throw new Error(`the answer is longer than ${mostAnswerBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function answerOf(answer: unknown, clock: Clock): Answer {
  const { result, username, claims, expiresInSeconds } = (answer ?? {}) as Readonly<Record<string, unknown>>
  if (result === 'deny') return { verdict: 'deny', until: Number.POSITIVE_INFINITY }
  if (result === 'ignore') return { verdict: 'not mine', until: Number.POSITIVE_INFINITY }
  if (result !== 'allow') throw new Error(`the answer's result is ${JSON.stringify(result)}, not allow, deny or ignore`)
  if (username !== undefined && typeof username !== 'string') throw new Error("the answer's username is no text")
  if (claims !== undefined && (typeof claims !== 'object' || claims === null))
    throw new Error("the answer's claims are no object")
  if (expiresInSeconds !== undefined && (typeof expiresInSeconds !== 'number' || !(expiresInSeconds > 0))) {
    throw new Error("the answer's expiresInSeconds is no number above 0")
  }
  return {
    verdict: { ...(username !== undefined && { username }), ...(claims !== undefined && { claims: claims as Claims }) },
    until: expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + expiresInSeconds * 1000,
  }
}
