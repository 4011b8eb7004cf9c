import type { Broker, ClientInfo, Hooks } from '@godwit/broker'
import type { OutletMessage, PluginContext } from '@godwit/broker/plugin'
import type { WebhookOptions } from './options.js'

/** Events wait in the same session as messages, on a topic of their own, in their order. */
export const eventsTopicOf = (clientId: string): string => `$webhook/${clientId.replaceAll(/[+#\0]/g, '_')}/events`

/** Who publishes an event, once there is a broker. */
export interface EventSource {
  broker: Broker | undefined
}

/** Hooks that publish what becomes of clients. */
export function eventHooks(
  { options, clock }: Pick<PluginContext<WebhookOptions>, 'options' | 'clock'>,
  topic: string,
  source: EventSource,
): Hooks {
  const tell = (event: string, { clientId, username, address, version }: ClientInfo, more: object = {}): void => {
    const at = new Date(clock.now()).toISOString()
    const text = JSON.stringify({ type: 'event', event, clientId, username, address, version, at, ...more })
    source.broker?.publish(topic, text, { qos: 1 }).catch(() => {}) // the broker has been closed
  }
  return {
    ...(options.events.includes('connected') && { onConnect: (client) => tell('connected', client) }),
    ...(options.events.includes('disconnected') && {
      onDisconnect: (client, reason) => tell('disconnected', client, { reason }),
    }),
  }
}

/** The event of a message; `undefined` for what somebody else has published there. */
export function eventOf({ publisher, id, text }: Pick<OutletMessage, 'publisher' | 'id' | 'text'>): object | undefined {
  if (publisher !== '') return undefined
  try {
    return { id, ...(JSON.parse(text()) as object) }
  } catch {
    return undefined
  }
}
