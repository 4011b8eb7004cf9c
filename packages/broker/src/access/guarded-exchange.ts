import type { ClientInfo } from '../hooks/client-info.js'
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from '../hooks/extended-authentication.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'

/** Who decides whether an exchange may begin, and is told how it ended. */
export interface ExchangeGuard {
  mayBegin(client: ClientInfo): boolean
  /** @param data what the client said last. */
  ended(step: AuthenticationStep, method: string, client: ClientInfo, data: Uint8Array | undefined): void
}

/** The same methods, behind the guard. */
export function guardedMethods(
  methods: Readonly<Record<string, AuthenticationMethod>>,
  guard: ExchangeGuard,
): Readonly<Record<string, AuthenticationMethod>> {
  return Object.fromEntries(Object.entries(methods).map(([name, begin]) => [name, () => guarded(begin(), name, guard)]))
}

function guarded(exchange: AuthenticationExchange, method: string, guard: ExchangeGuard): AuthenticationExchange {
  let hasBegun = false
  return {
    next(data, client): MaybeAsync<AuthenticationStep> {
      if (!hasBegun && !guard.mayBegin(client)) return { outcome: 'refused', admission: 'unavailable' }
      hasBegun = true
      return whenReady(exchange.next(data, client), (step) => {
        if (step.outcome !== 'continue') guard.ended(step, method, client, data)
        return step
      })
    },
  }
}
