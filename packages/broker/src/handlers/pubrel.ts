import { type Pubrel, reason } from '@godwit/protocol'
import type { Context, Reply } from './context.js'
import { reasonInWords } from './reason-string.js'

/** PUBREL (section 3.6): the id is free again once PUBCOMP is out, also when it was not held [MQTT-4.3.3-2]. */
export function onPubrel(c: Context, p: Pubrel): Reply {
  const { packetId } = p
  const commit = c.session.release(packetId)
  if (commit !== false) return { packet: { type: 'pubcomp', packetId }, commit }
  // An id that is not held may have been released a moment ago: that must be safe too before it is free.
  const reasonCode = reason.packetIdentifierNotFound
  const words = reasonInWords(c, `packet identifier ${packetId} is not held`)
  return { packet: { type: 'pubcomp', packetId, reasonCode, ...words }, commit: c.services.store.latest }
}
