import type { ClientInfo, Hooks } from '@godwit/broker'
import type { AccessRules, AuthenticationChain } from '@godwit/broker/access'

/** The listener that hooks find a client of the console at: it may do everything, for whoever came so far has shown a token. */
export const consoleListener = 'the console'

/** What guards one listener; what is left out is not asked. */
export interface ListenerHooks {
  readonly chain: AuthenticationChain | undefined
  readonly rules: AccessRules | undefined
}

/** The same hooks, not asked about clients of the console: these may do everything. */
export function notForConsole(hooks: Hooks): Hooks {
  const { authenticate, authorize, authorizeDelivery } = hooks
  const isConsole = ({ listener }: ClientInfo): boolean => listener === consoleListener
  return {
    ...hooks,
    ...(authenticate && { authenticate: (request) => isConsole(request) || authenticate(request) }),
    ...(authorize && { authorize: (request) => isConsole(request.client) || authorize(request) }),
    ...(authorizeDelivery && {
      authorizeDelivery: (topic, client) => isConsole(client) || authorizeDelivery(topic, client),
    }),
  }
}

/**
 * Asks those of the listener that a client came to, by its name; `common` those of all others. Who came to one that is there no
 * more, as what a reload has closed, may do nothing until it is gone.
 * @param names of all listeners.
 */
export function hooksByListener(
  common: ListenerHooks,
  own: ReadonlyMap<string, ListenerHooks>,
  names: readonly string[],
): Hooks {
  const known = new Set([...names, consoleListener])
  const isGone = ({ listener }: ClientInfo): boolean => listener !== undefined && !known.has(listener)
  const of = ({ listener }: ClientInfo): ListenerHooks =>
    (listener === undefined ? undefined : own.get(listener)) ?? common
  const hasRules = [common, ...own.values()].some(({ rules }) => rules)
  return {
    name: 'access by listener',
    authenticate: (request) => (isGone(request) ? 'unavailable' : (of(request).chain?.authenticate(request) ?? true)),
    // Where there are no rules at all, no message has to wait for an answer.
    ...(hasRules && {
      authorize: (request) => !isGone(request.client) && (of(request.client).rules?.authorize(request) ?? true),
      authorizeDelivery: (topic, client) =>
        !isGone(client) && (of(client).rules?.authorizeDelivery(topic, client) ?? true),
    }),
    onConnect: (client) => of(client).chain?.onConnect?.(client),
    onDisconnect: (client, reason) => of(client).chain?.onDisconnect?.(client, reason),
  }
}
