import { type Puback, type Pubcomp, type Pubrec, reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'
import type { Context } from './context.js'

/**
 * An acknowledgement that is not the one its packet id waits for: counted. One for an id in the middle of another handshake
 * is a violation of the protocol, and ends the connection [MQTT-4.8.0-1]; one that belongs to nothing is ignored.
 */
export function strayAck(c: Context, { type, packetId }: Puback | Pubrec | Pubcomp): void {
  c.services.metrics.strayAcks++
  if (c.session.delivery.window.numberOf(packetId) > 0) {
    throw new MqttError(reason.protocolError, `${type} for packet id ${packetId}, which waits for another packet`)
  }
}
