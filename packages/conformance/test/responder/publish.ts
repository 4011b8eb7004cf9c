import { type Packet, ProtocolError, type Publish, reason } from '@godwit/protocol'
import type { Link } from './link.js'
import { receiveMaximum, topicAliasMaximum } from './offer.js'
import { expiryOf } from './world.js'

/** PUBLISH (section 3.3): routed, then acknowledged as its QoS asks. */
export function onPublish(link: Link, packet: Publish): void {
  const { router, world } = link.services
  const { mutated } = world
  const session = link.session!
  const { qos, packetId = 0, dup, retain, properties = {} } = packet
  const topic = topicOf(link, packet)
  const isRepeat = qos === 2 && session.received.has(packetId)
  if (qos === 2 && mutated('qos-2-not-supported') && !router.hasReceiver(topic)) {
    throw new ProtocolError('protocol-error', 'QoS 2 is not supported')
  }
  const isSystem = topic.startsWith('$SYS/') && !mutated('system-topics-taken')
  const message = { topic, payload: packet.payload.slice(), qos, retain, dup, properties, from: session.clientId }
  const isSeen = qos === 1 && dup && link.seen.has(packetId) && mutated('dup-trusted')
  if (qos === 1) link.seen.add(packetId)
  if (!isSystem && !isSeen && (!isRepeat || mutated('repeats-delivered'))) {
    router.publish({ ...message, expiresAt: expiryOf(world, properties) })
  }
  const acknowledgement = { packetId, isSystem, isWanted: router.hasReceiver(topic) }
  if (qos === 1) acknowledge(link, 'puback', acknowledgement)
  if (qos !== 2) return
  if (!isRepeat && session.received.size >= receiveMaximum && link.version === 5) {
    if (!mutated('receive-maximum-not-watched')) throw new ReceiveMaximumExceeded()
  }
  if (!isSystem || link.version < 5 || mutated('refused-ids-remembered')) session.received.add(packetId)
  acknowledge(link, 'pubrec', acknowledgement)
}

class ReceiveMaximumExceeded extends ProtocolError {
  override readonly reasonCode = reason.receiveMaximumExceeded
  constructor() {
    super('protocol-error', 'more than Receive Maximum')
  }
}

interface Acknowledgement {
  readonly packetId: number
  /** No client may publish there. */
  readonly isSystem: boolean
  /** Somebody has subscribed. */
  readonly isWanted: boolean
}

function acknowledge(link: Link, type: 'puback' | 'pubrec', { packetId, isSystem, isWanted }: Acknowledgement): void {
  const { mutated } = link.services.world
  if (isSystem && mutated('system-topics-unanswered')) return
  const refused = isSystem && link.version === 5
  const packet: Packet = { type, packetId, ...(refused && { reasonCode: reason.notAuthorized }) }
  link.send(packet)
  if (type === 'pubrec' && !isWanted && mutated('pubcomp-with-pubrec')) link.send({ type: 'pubcomp', packetId })
}

/** The topic, by its name or by an alias of this connection (5.0, section 3.3.2.3.4). */
function topicOf(link: Link, { topic, properties }: Publish): string {
  const alias = properties?.topicAlias
  if (alias === undefined) return topic
  const { mutated } = link.services.world
  const most = mutated('highest-alias-not-taken') ? topicAliasMaximum - 1 : topicAliasMaximum
  if (alias > most) throw new ProtocolError('protocol-error', 'an alias above the maximum')
  const kept = mutated('aliases-kept-with-session') ? link.session!.aliases : link.aliases // [MQTT-3.3.2-7]
  if (topic !== '') kept.set(alias, topic)
  const name = kept.get(alias)
  if (name === undefined) throw new ProtocolError('protocol-error', 'an unknown alias')
  return name
}

/** PUBREL: the identifier is free again [MQTT-4.3.3-2]. */
export function onPubrel(link: Link, { packetId }: Packet & { type: 'pubrel' }): void {
  const { mutated } = link.services.world
  const { received } = link.session!
  const isKnown = received.delete(packetId)
  if (isKnown && mutated('identifiers-not-released')) received.add(packetId)
  if (!isKnown && mutated('unknown-pubrel-unanswered')) return
  const isUnknown = !isKnown && link.version === 5
  link.send({ type: 'pubcomp', packetId, ...(isUnknown && { reasonCode: reason.packetIdentifierNotFound }) })
}
