import type { Puback } from '@godwit/protocol'
import type { Context } from './context.js'

/** PUBACK (section 3.4): the message is done. One that belongs to nothing is counted and ignored. */
export function onPuback(c: Context, p: Puback): undefined {
  if (!c.session.delivery.acknowledge(p.packetId)) c.services.metrics.strayAcks++
}
