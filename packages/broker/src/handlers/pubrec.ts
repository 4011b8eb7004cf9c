import { type Pubrec, reason } from '@godwit/protocol'
import type { Context, Reply } from './context.js'
import { reasonInWords } from './reason-string.js'
import { strayAck } from './stray-ack.js'

/** PUBREC (section 3.5): the client has the message; PUBREL follows, in the order of the PUBRECs [MQTT-4.6.0-4]. */
export function onPubrec(c: Context, p: Pubrec): Reply | undefined {
  const { packetId, reasonCode = 0 } = p
  const { delivery } = c.session
  if (reasonCode >= 0x80) {
    if (!delivery.refuse(packetId)) strayAck(c, p) // refused: no PUBREL, never sent again [MQTT-4.4.0-2]
    return undefined
  }
  const commit = delivery.release(packetId)
  if (commit === 'wrong') {
    strayAck(c, p)
    return undefined
  }
  if (typeof commit === 'number') return { packet: { type: 'pubrel', packetId }, commit }
  if (commit === 'unknown') c.services.metrics.strayAcks++
  // It lets the client end its handshake, once whatever was written before is safe.
  const unknown = commit === 'unknown' && {
    reasonCode: reason.packetIdentifierNotFound,
    ...reasonInWords(c, `nothing was sent with packet identifier ${packetId}`),
  }
  return { packet: { type: 'pubrel', packetId, ...unknown }, commit: c.services.store.latest }
}
