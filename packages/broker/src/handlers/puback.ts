import type { Puback } from '@godwit/protocol'
import type { Context } from './context.js'
import { strayAck } from './stray-ack.js'

/** PUBACK (section 3.4): the message is done, also when it refuses [MQTT-4.4.0-2]. One that belongs to nothing is ignored. */
export function onPuback(c: Context, p: Puback): undefined {
  if (!c.session.delivery.acknowledge(p.packetId)) strayAck(c, p)
}
