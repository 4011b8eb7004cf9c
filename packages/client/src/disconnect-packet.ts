import { encode, type PacketOf, ProtocolError } from '@godwit/protocol'
import type { CloseOptions } from './client.js'
import { expiryInterval } from './session-life.js'

/**
 * The DISCONNECT of close(). `mayExpire`: CONNECT asked for a session that outlives its connection.
 */
export function disconnectPacket(options: CloseOptions, mayExpire: boolean): PacketOf<'disconnect'> {
  const { reasonCode = 0, sessionExpirySeconds, properties } = options
  // What CONNECT set to 0 stays 0 (section 3.14.2.2.2).
  const interval = mayExpire && sessionExpirySeconds !== undefined ? expiryInterval(sessionExpirySeconds) : undefined
  if (properties === undefined && interval === undefined) return { type: 'disconnect', reasonCode }
  const packet: PacketOf<'disconnect'> = {
    type: 'disconnect',
    reasonCode,
    properties: { ...properties, ...(interval !== undefined && { sessionExpiryInterval: interval }) },
  }
  try {
    encode(packet, 5)
    return packet
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { type: 'disconnect', reasonCode } // close() never rejects: what cannot be written is not said
  }
}
