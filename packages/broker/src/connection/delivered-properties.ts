import type { PropertiesOf } from '@godwit/protocol'
import type { Message } from '../message.js'

/** The properties of one delivery at 5.0: the publisher's, and what is of this connection and this moment. */
export function deliveredProperties(
  message: Message,
  subscriptionIdentifiers: readonly number[] | undefined,
  topicAlias: number | undefined,
  now: number,
): PropertiesOf<'publish'> | undefined {
  const { properties, expiresAt } = message
  const isMortal = expiresAt !== Number.POSITIVE_INFINITY
  if (!isMortal && !subscriptionIdentifiers && topicAlias === undefined) return properties
  return {
    ...properties,
    // Less by the time it has waited here [MQTT-3.3.2-6].
    ...(isMortal && { messageExpiryInterval: Math.max(0, Math.ceil((expiresAt - now) / 1000)) }),
    ...(subscriptionIdentifiers && { subscriptionIdentifiers }),
    ...(topicAlias !== undefined && { topicAlias }),
  }
}
