import type { MaybeAsync } from '../maybe-async.js'
import type { Admission, ClientInfo } from './client-info.js'

/** How an exchange goes on: another step, or its end. */
export type AuthenticationStep =
  /** Ask the client to go on, with this data. */
  | { readonly outcome: 'continue'; readonly data?: Uint8Array }
  /** Let it in; `username` is who it has shown to be. */
  | { readonly outcome: 'admitted'; readonly data?: Uint8Array; readonly username?: string }
  | { readonly outcome: 'refused'; readonly admission: Exclude<Admission, true> }

/** One client's extended authentication (5.0, section 4.12), from CONNECT, or from a re-authentication, to its end. */
export interface AuthenticationExchange {
  /**
   * Takes the Authentication Data of CONNECT or AUTH.
   * @param signal aborted when a client that is not in yet has gone, or its time is over, before the answer is there.
   */
  next(data: Buffer | undefined, client: ClientInfo, signal?: AbortSignal): MaybeAsync<AuthenticationStep>
}

/** An Authentication Method: begins an exchange. */
export type AuthenticationMethod = () => AuthenticationExchange
