import { type Disconnect, reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'
import type { Context } from './context.js'

/**
 * DISCONNECT (section 3.14): the client leaves in order. With reason 0 its will is dropped unpublished [MQTT-3.14.4-3]; at
 * 5.0 it may ask for the will, and for another time its session shall live on.
 */
export function onDisconnect(c: Context, p: Disconnect): undefined {
  const { session, services } = c
  const asked = p.properties?.sessionExpiryInterval
  if (asked !== undefined) {
    if (asked > 0 && session.expirySeconds === 0) {
      throw new MqttError(reason.protocolError, 'a session expiry for a session that ends with its connection')
    }
    services.registry.setExpiry(session, Math.min(asked, services.limits.maxSessionExpirySeconds))
  }
  if ((p.reasonCode ?? 0) === reason.normalDisconnection) services.registry.discardWill(session)
  c.leave()
}
