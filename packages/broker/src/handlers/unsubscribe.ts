import { reason, type Unsubscribe } from '@godwit/protocol'
import type { Context, Reply } from './context.js'

/** UNSUBSCRIBE (section 3.10): only filters that are equal to the letter go [MQTT-3.10.4-1]; it is answered always [MQTT-3.10.4-5]. */
export function onUnsubscribe(c: Context, p: Unsubscribe): Reply {
  const { session } = c
  let commit = 0
  const reasonCodes = p.filters.map((filter) => {
    if (!session.subscriptions.has(filter)) return reason.noSubscriptionExisted
    commit = Math.max(commit, session.unsubscribe(filter))
    return reason.success
  })
  return { packet: { type: 'unsuback', packetId: p.packetId, reasonCodes }, commit }
}
