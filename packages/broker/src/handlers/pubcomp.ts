import type { Pubcomp } from '@godwit/protocol'
import type { Context } from './context.js'
import { strayAck } from './stray-ack.js'

/** PUBCOMP (section 3.7): the message is done. One that belongs to nothing is ignored. */
export function onPubcomp(c: Context, p: Pubcomp): undefined {
  if (!c.session.delivery.complete(p.packetId)) strayAck(c, p)
}
