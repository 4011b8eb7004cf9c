import type { Pubrec } from '@godwit/protocol'
import type { Context, Reply } from './context.js'

/** PUBREC (section 3.5): the client has the message; PUBREL follows, in the order of the PUBRECs [MQTT-4.6.0-4]. */
export function onPubrec(c: Context, p: Pubrec): Reply | undefined {
  const commit = c.session.delivery.release(p.packetId)
  if (commit === 'wrong') {
    c.services.metrics.strayAcks++
    return undefined
  }
  const { packetId } = p
  return { packet: { type: 'pubrel', packetId }, commit: commit === 'repeated' ? c.services.store.latest : commit }
}
