import type { Packet } from '@godwit/protocol'
import type { Manners } from './connection.js'

/** A server that answers everything as the standard says. */
export const polite: Manners = (packet) => {
  switch (packet.type) {
    case 'pingreq':
      return [{ type: 'pingresp' }]
    case 'subscribe':
      return [{ type: 'suback', packetId: packet.packetId, reasonCodes: packet.subscriptions.map(({ qos }) => qos) }]
    case 'unsubscribe':
      return [{ type: 'unsuback', packetId: packet.packetId, reasonCodes: packet.filters.map(() => 0) }]
    case 'publish':
      if (packet.packetId === undefined) return []
      return [{ type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId }]
    case 'pubrec':
      return [{ type: 'pubrel', packetId: packet.packetId }]
    case 'pubrel':
      return [{ type: 'pubcomp', packetId: packet.packetId }]
    default:
      return []
  }
}

/** A polite server that never sends these. */
export function without(...types: readonly Packet['type'][]): Manners {
  return (packet) => polite(packet).filter(({ type }) => !types.includes(type))
}
