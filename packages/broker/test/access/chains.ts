import {
  type AuthenticationChain,
  type AuthenticationChainOptions,
  type Authenticator,
  authenticationChain,
} from '../../src/access/index.js'
import { VirtualClock } from '../../src/testing/index.js'

/** Takes the password `right`. */
export const passwords: Authenticator = {
  name: 'passwords',
  check: ({ password }) => (Buffer.from(password ?? '').toString() === 'right' ? 'allow' : 'deny'),
}

/** A chain whose time belongs to the test, and what it logs. */
export function chainOf(
  authenticators: readonly Authenticator[],
  options: AuthenticationChainOptions = {},
): { readonly chain: AuthenticationChain; readonly clock: VirtualClock; readonly log: string[] } {
  const log: string[] = []
  const clock = new VirtualClock()
  const chain = authenticationChain(authenticators, {
    clock,
    log: { log: (level, text, fields) => void log.push(`${level} ${text} ${JSON.stringify(fields)}`) },
    ...options,
  })
  return { chain, clock, log }
}
