import type { ClientInfo, Hooks } from '@godwit/broker'
import type { AccessRules, AuthenticationChain } from '@godwit/broker/access'

/** What guards one listener; what is left out is not asked. */
export interface ListenerHooks {
  readonly chain: AuthenticationChain | undefined
  readonly rules: AccessRules | undefined
}

/** Asks those of the listener that a client came to, by its name; `common` those of all others. */
export function hooksByListener(common: ListenerHooks, own: ReadonlyMap<string, ListenerHooks>): Hooks {
  const of = ({ listener }: ClientInfo): ListenerHooks =>
    (listener === undefined ? undefined : own.get(listener)) ?? common
  return {
    name: 'access by listener',
    authenticate: (request) => of(request).chain?.authenticate(request) ?? true,
    authorize: (request) => of(request.client).rules?.authorize(request) ?? true,
    authorizeDelivery: (topic, client) => of(client).rules?.authorizeDelivery(topic, client) ?? true,
    onConnect: (client) => of(client).chain?.onConnect?.(client),
    onDisconnect: (client, reason) => of(client).chain?.onDisconnect?.(client, reason),
  }
}
