import { reason } from '@godwit/protocol'
import { MqttError } from '../errors.js'
import type { Context } from './context.js'

/**
 * An acknowledgement that is not the one its packet id waits for: counted and ignored. At 5.0, one for an id in the
 * middle of another handshake is a protocol error.
 */
export function strayAck(c: Context, packetId: number): void {
  c.services.metrics.strayAcks++
  if (c.version === 5 && c.session.delivery.window.numberOf(packetId) > 0) {
    throw new MqttError(reason.protocolError, `an acknowledgement that packet id ${packetId} does not wait for`)
  }
}
