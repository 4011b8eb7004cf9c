import type { ClientInfo } from '../hooks/client-info.js'
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from '../hooks/extended-authentication.js'
import { afterwards, type MaybeAsync, whenReady } from '../maybe-async.js'
import type { Turn } from './turns.js'

/** Who decides whether a step of an exchange may be judged, and is told how an exchange ended. */
export interface ExchangeGuard {
  /** `undefined`: not now. */
  turnOf(client: ClientInfo, signal: AbortSignal | undefined): MaybeAsync<Turn | undefined>
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

/**
 * Every step has a turn of its own, which ends with the answer to it: else whoever begins many exchanges could guess at
 * the end of all of them, and whoever ends none would keep the places of others.
 */
function guarded(exchange: AuthenticationExchange, method: string, guard: ExchangeGuard): AuthenticationExchange {
  return {
    next(data, client, signal): MaybeAsync<AuthenticationStep> {
      const step = (): MaybeAsync<AuthenticationStep> =>
        whenReady(exchange.next(data, client, signal), (answer) => {
          if (answer.outcome !== 'continue') guard.ended(answer, method, client, data)
          return answer
        })
      return whenReady(guard.turnOf(client, signal), (turn) =>
        turn ? afterwards(step, () => turn.end()) : refusedForNow,
      )
    },
  }
}

const refusedForNow: AuthenticationStep = { outcome: 'refused', admission: 'unavailable' }
