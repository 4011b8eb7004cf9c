import { BrokerError } from '../errors.js'
import type { Admission, ClientInfo, Identity } from '../hooks/client-info.js'
import type { AuthenticationMethod, AuthenticationStep } from '../hooks/extended-authentication.js'
import type { AuthenticateRequest, Hooks } from '../hooks/hooks.js'
import { type Logger, silentLogger } from '../log.js'
import { afterwards, type MaybeAsync, whenReady } from '../maybe-async.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { type Clock, systemClock } from '../time/clock.js'
import { BackOff, type BackOffOptions, freeTurn } from './back-off.js'
import { type ExchangeGuard, guardedMethods } from './guarded-exchange.js'
import type { Authenticator, Verdict } from './identity.js'
import type { Turn } from './turns.js'

export interface AuthenticationChainOptions {
  /** How addresses that keep failing are made to wait; `false`: never. */
  readonly backOff?: BackOffOptions | false
  /**
   * Extended authentication (5.0, section 4.12), such as `{ 'SCRAM-SHA-256': scramSha256(lookUp) }`: here, and not in a
   * hook of its own, its failures count for the back-off too. Default: none.
   */
  readonly authenticationMethods?: Readonly<Record<string, AuthenticationMethod>>
  /**
   * Ends a client's connection when what let it in, a token for one, is no longer true. Most simply
   * `(clientId) => broker.disconnect(clientId, { reasonCode: 0x87, reasonString: 'the token has expired' })`. Left out:
   * it stays until it leaves.
   */
  readonly disconnect?: (clientId: string) => unknown
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

const names: NamesOf<AuthenticationChainOptions> = {
  backOff: true,
  authenticationMethods: true,
  disconnect: true,
  log: true,
  clock: true,
}

/** How many CONNECTs, and re-authentications, ended how, since start. */
export interface AuthenticationCounts {
  allowed: number
  /** Refused by an authenticator, or known to none. */
  denied: number
  /** An authenticator could not tell. */
  unavailable: number
  /** Not looked at: the address has to wait. */
  backedOff: number
  /** Connections ended because what let them in had expired. */
  expired: number
}

/** What a chain answers to whoever may not come in, or cannot be judged now. */
type Refusal = false | 'unavailable'

/** What the chain is to a broker, and what whoever runs it may ask of it. */
export interface AuthenticationChain extends Hooks {
  authenticate(request: AuthenticateRequest): MaybeAsync<Admission>
  /** Who the client is; `undefined` for one that may not come in. Says what `authenticate` does, to people and tests. */
  identify(request: AuthenticateRequest): MaybeAsync<Identity | Refusal>
  /** Those it was given, with its back-off. */
  readonly authenticationMethods: Readonly<Record<string, AuthenticationMethod>>
  readonly counts: Readonly<AuthenticationCounts>
  /** Makes every authenticator read its files again; rejects with the first failure, after all have tried. */
  reload(): Promise<void>
  /**
   * Asks others from here on, in this order; closes those that are not among them. Clients that are in stay, and end when what
   * let them in expires. Counts go on, and so does the back-off, unless another is given.
   * @throws BrokerError `invalid-option`; then nothing has changed.
   */
  replace(authenticators: readonly Authenticator[], options?: Pick<AuthenticationChainOptions, 'backOff'>): void
  /** Closes it for good while its clients are there: those that it would have ended some day end now, and are asked anew. */
  dissolve(): void
  /** Stops watching files and waiting for tokens to expire. */
  close(): void
}

/**
 * Asks authenticators in this order. The first that does not say `not mine` decides; when all do, the answer is no: who
 * may come in without credentials is said by an authenticator too.
 * @throws BrokerError `invalid-option` for an empty list without authentication methods: it would let nobody in.
 */
export function authenticationChain(
  authenticators: readonly Authenticator[],
  options: AuthenticationChainOptions = {},
): AuthenticationChain {
  return new Chain(authenticators, options)
}

class Chain implements AuthenticationChain, ExchangeGuard {
  readonly name = 'authentication chain'
  readonly authenticationMethods: Readonly<Record<string, AuthenticationMethod>>
  readonly counts: AuthenticationCounts = { allowed: 0, denied: 0, unavailable: 0, backedOff: 0, expired: 0 }
  #authenticators: readonly Authenticator[]
  #backOff: BackOff | undefined
  readonly #log: Logger
  readonly #clock: Clock
  readonly #disconnect: AuthenticationChainOptions['disconnect']
  /** Those an exchange has let in: what others at their address do is no reason to refuse them a re-authentication. */
  readonly #admitted = new WeakSet<ClientInfo>()
  /** What stops the wait for a client's expiry. */
  readonly #expiries = new Map<ClientInfo, () => void>()

  constructor(authenticators: readonly Authenticator[], options: AuthenticationChainOptions) {
    checkNames(options, names, 'authenticationChain')
    const { backOff = {}, authenticationMethods = {}, log = silentLogger, clock = systemClock, disconnect } = options
    if (authenticators.length === 0 && Object.keys(authenticationMethods).length === 0) {
      throw noLink()
    }
    this.authenticationMethods = guardedMethods(authenticationMethods, this)
    this.#authenticators = authenticators
    this.#backOff = backOffOf(backOff, clock)
    this.#log = log
    this.#clock = clock
    this.#disconnect = disconnect
  }

  authenticate(request: AuthenticateRequest): MaybeAsync<Admission> {
    return whenReady(this.identify(request), (who) => (isIdentity(who) ? admitted(who, request) : who))
  }

  identify(request: AuthenticateRequest): MaybeAsync<Identity | Refusal> {
    const judge = (): MaybeAsync<Identity | Refusal> =>
      whenReady(this.#ask(request, 0), ({ verdict, by }) => this.#conclude(request, verdict, by))
    return whenReady(this.#turnAt(request.address, request.signal), (turn) =>
      turn ? afterwards(judge, () => turn.end()) : 'unavailable',
    )
  }

  turnOf(client: ClientInfo, signal: AbortSignal | undefined): MaybeAsync<Turn | undefined> {
    return this.#admitted.has(client) ? freeTurn : this.#turnAt(client.address, signal)
  }

  ended(step: AuthenticationStep, method: string, client: ClientInfo, data: Uint8Array | undefined): void {
    if (step.outcome === 'admitted') {
      this.counts.allowed++
      this.#admitted.add(client)
    } else if (step.outcome === 'refused') {
      if (step.admission === 'unavailable') this.counts.unavailable++
      else if (typeof step.admission !== 'object') this.#failed(client, data, method)
    }
  }

  onConnect(client: ClientInfo): void {
    const { expiresAt } = client.identity ?? {}
    if (this.#disconnect && expiresAt !== undefined) this.#expire(client, expiresAt)
  }

  onDisconnect(client: ClientInfo): void {
    this.#expiries.get(client)?.()
    this.#expiries.delete(client)
  }

  async reload(): Promise<void> {
    const results = await Promise.allSettled(this.#authenticators.map((one) => one.reload?.()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  replace(
    authenticators: readonly Authenticator[],
    { backOff }: Pick<AuthenticationChainOptions, 'backOff'> = {},
  ): void {
    if (authenticators.length === 0 && Object.keys(this.authenticationMethods).length === 0) throw noLink()
    if (backOff !== undefined) this.#backOff = backOffOf(backOff, this.#clock)
    const old = this.#authenticators
    this.#authenticators = authenticators
    for (const one of old) if (!authenticators.includes(one)) one.close?.()
  }

  dissolve(): void {
    const clients = [...this.#expiries.keys()]
    this.close()
    for (const { clientId } of clients) this.#disconnect?.(clientId)
  }

  close(): void {
    for (const one of this.#authenticators) one.close?.()
    for (const cancel of this.#expiries.values()) cancel()
    this.#expiries.clear()
  }

  #turnAt(address: string, signal: AbortSignal | undefined): MaybeAsync<Turn | undefined> {
    if (!this.#backOff) return freeTurn
    return whenReady(this.#backOff.attempt(address, signal), (turn) => {
      if (!turn && !signal?.aborted) this.counts.backedOff++
      return turn
    })
  }

  #ask(
    request: AuthenticateRequest,
    at: number,
    among: readonly Authenticator[] = this.#authenticators,
  ): MaybeAsync<{ readonly verdict: Verdict; readonly by: string }> {
    const one = among[at]
    if (!one) return { verdict: 'deny', by: 'no authenticator knows it' }
    return whenReady(this.#verdictOf(one, request), (verdict) =>
      verdict === 'not mine' ? this.#ask(request, at + 1, among) : { verdict, by: one.name },
    )
  }

  #verdictOf(one: Authenticator, request: AuthenticateRequest): MaybeAsync<Verdict> {
    const failed = (error: unknown): Verdict => {
      this.#log.log('error', `${one.name} failed`, { error: String(error) })
      return 'unavailable'
    }
    try {
      const verdict = one.check(request)
      return verdict instanceof Promise ? verdict.catch(failed) : verdict
    } catch (error) {
      return failed(error)
    }
  }

  #conclude(request: AuthenticateRequest, verdict: Verdict, by: string): Identity | Refusal {
    if (verdict === 'unavailable') {
      this.counts.unavailable++
      return 'unavailable'
    }
    if (verdict === 'allow' || typeof verdict === 'object') {
      this.counts.allowed++
      return verdict === 'allow' ? {} : verdict
    }
    this.#failed(request, request.password, by)
    return false
  }

  /** @param tried what was wrong: the same again counts once. */
  #failed({ clientId, username, address }: ClientInfo, tried: Uint8Array | undefined, by: string): void {
    this.counts.denied++
    const waitMs = this.#backOff?.failed(address, username, tried)
    this.#log.log('warn', 'not authenticated', { clientId, username, address, by })
    if (waitMs === undefined) return
    this.#log.log('warn', 'too many wrong credentials: clients of this address are refused for a while', {
      address,
      waitMs,
    })
  }

  /** In steps: a timeout ends at 2^31 − 1 ms. */
  #expire(client: ClientInfo, expiresAt: number): void {
    const left = expiresAt - this.#clock.now()
    const step = Math.min(Math.max(left, 0), longestTimeout)
    const cancel = this.#clock.timeout(step, () => {
      if (left > longestTimeout) return this.#expire(client, expiresAt)
      this.#expiries.delete(client)
      this.counts.expired++
      this.#disconnect?.(client.clientId)
    })
    this.#expiries.set(client, cancel)
  }
}

function backOffOf(options: BackOffOptions | false, clock: Clock): BackOff | undefined {
  return options === false ? undefined : new BackOff(options, clock)
}

const noLink = (): BrokerError => new BrokerError('invalid-option', 'an authentication chain needs a link')

const longestTimeout = 2 ** 31 - 1

const isIdentity = (who: Identity | Refusal): who is Identity => typeof who === 'object'

/** `true` where CONNECT has said it all: the shortest way through the broker. */
function admitted(who: Identity, { username }: AuthenticateRequest): Admission {
  const saysMore = who.claims !== undefined || who.expiresAt !== undefined || (who.username ?? username) !== username
  return saysMore ? { admittedAs: who } : true
}
