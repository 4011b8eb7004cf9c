import { type Packet, ProtocolError } from '@godwit/protocol'
import { onConnect } from './connect.js'
import type { Link } from './link.js'
import { onPublish, onPubrel } from './publish.js'
import { onSubscribe, onUnsubscribe } from './subscribe.js'

/** What each packet of a client means. */
export function handle(link: Link, packet: Packet): void {
  const { mutated } = link.services.world
  if (!link.session) {
    if (packet.type === 'connect') return onConnect(link, packet)
    if (packet.type === 'pingreq' && mutated('first-packet-any')) return void link.send({ type: 'pingresp' })
    throw new ProtocolError('protocol-error', `${packet.type} before connect`) // [MQTT-3.1.0-1]
  }
  switch (packet.type) {
    case 'connect':
      if (!link.isFirstWrite && mutated('second-connect-ignored')) return
      if (link.isFirstWrite && mutated('second-connect-answered'))
        link.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
      throw new ProtocolError('protocol-error', 'a second connect') // [MQTT-3.1.0-2]
    case 'publish':
      return onPublish(link, packet)
    case 'puback':
      return onPuback(link, packet)
    case 'pubrec': {
      const answer = link.session.onPubrec(packet.packetId, packet.reasonCode ?? 0)
      return void (answer && link.send(answer))
    }
    case 'pubrel':
      return onPubrel(link, packet)
    case 'pubcomp':
      if (link.session.onPubcomp(packet.packetId) || !mutated('unknown-pubcomp-closes')) return
      throw new ProtocolError('protocol-error', 'PUBCOMP of no message')
    case 'subscribe':
      return onSubscribe(link, packet)
    case 'unsubscribe':
      return onUnsubscribe(link, packet)
    case 'pingreq':
      return link.pong()
    case 'disconnect':
      return onDisconnect(link, packet)
    default:
      throw new ProtocolError('protocol-error', `${packet.type} from a client`)
  }
}

function onPuback(link: Link, { packetId, reasonCode = 0 }: Packet & { type: 'puback' }): void {
  const { router, world } = link.services
  const refused = link.session!.onPuback(packetId, reasonCode)
  if (refused && world.mutated('refused-shared-goes-to-another')) router.passOn(refused, link.session!)
}

function onDisconnect(link: Link, { reasonCode = 0, properties }: Packet & { type: 'disconnect' }): void {
  const { mutated } = link.services.world
  const session = link.session!
  const seconds = properties?.sessionExpiryInterval
  if (seconds !== undefined && session.expiryMs === 0 && seconds > 0) {
    throw new ProtocolError('protocol-error', 'a Session Expiry Interval where there was none') // 5.0 [MQTT-3.14.2-2]
  }
  if (seconds !== undefined && !mutated('disconnect-expiry-ignored')) session.expiryMs = 1000 * seconds
  link.endByClient(reasonCode !== 0 && !mutated('disconnect-with-will-ignored'))
}
