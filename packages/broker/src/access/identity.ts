import type { Identity } from '../hooks/client-info.js'
import type { AuthenticateRequest } from '../hooks/hooks.js'
import type { MaybeAsync } from '../maybe-async.js'

/**
 * What one authenticator says of a CONNECT. `allow`: it is the user named in it. An identity: it is somebody, and this
 * is who. `deny`: the credentials are for this authenticator, and wrong. `not mine`: they are for another one.
 * `unavailable`: it cannot tell now, so nobody may come in by it.
 */
export type Verdict = 'allow' | 'deny' | 'not mine' | 'unavailable' | Identity

/** One way of showing who one is; the chain asks them in order. */
export interface Authenticator {
  /** Used in log lines. */
  readonly name: string
  /** An error thrown counts as `unavailable`. */
  check(request: AuthenticateRequest): MaybeAsync<Verdict>
  /** Reads its files again. Rejects, and keeps what it has, when they are broken. */
  reload?(): Promise<void>
  /** Stops watching files. */
  close?(): void
}
