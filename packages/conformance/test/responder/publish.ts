import { type Packet, type PropertiesOf, ProtocolError, type Publish, reason } from '@godwit/protocol'
import type { Link } from './link.js'
import { receiveMaximum, topicAliasMaximum } from './offer.js'
import { expiryOf } from './world.js'

/** PUBLISH (section 3.3): routed, then acknowledged as its QoS asks. */
export function onPublish(link: Link, packet: Publish): void {
  const { router, world } = link.services
  const { mutated } = world
  const session = link.session!
  const { qos, packetId = 0, dup, retain } = packet
  const properties = userPropertiesSpoilt(packet.properties, mutated)
  const topic = topicOf(link, packet)
  const isRepeat = qos === 2 && session.received.has(packetId)
  const isSecond = qos === 2 && packetId === 2 && !retain && link.seen.has('1/1')
  if (isSecond && !router.hasReceiver(topic) && mutated('qos-2-not-supported')) {
    throw new ProtocolError('protocol-error', 'QoS 2 is not supported')
  }
  const isSystem = topic.startsWith('$SYS/') && !mutated('system-topics-taken')
  const message = { topic, payload: packet.payload.slice(), qos, retain, dup, properties, from: session.clientId }
  const isSeen = link.seen.has(`${qos}/${packetId}`)
  link.seen.add(`${qos}/${packetId}`)
  const isTaken = isRepeat ? isSeen && mutated('repeats-delivered') : !(isSeen && dup && mutated('dup-trusted'))
  if (isSystem && world.chooses('system-topics-close')) throw new NotAuthorized()
  const publish = (): void => {
    if (isSystem || !isTaken) return
    link.deliver(topic, () => router.publish({ ...message, expiresAt: expiryOf(world, properties) }))
  }
  const isFirstAcknowledged = world.chooses('acknowledges-first')
  if (!isFirstAcknowledged) publish()
  const isUnwanted = dup && !isRepeat && !router.hasReceiver(topic)
  const isUnmatched = link.version === 5 && !router.hasReceiver(topic) && world.chooses('tells-of-no-subscribers')
  const acknowledgement = { packetId, isSystem, isUnwanted, isUnmatched }
  if (qos === 1) acknowledge(link, 'puback', acknowledgement)
  if (qos === 2) onQoS2(link, isRepeat, acknowledgement)
  if (isFirstAcknowledged) publish()
}

/** The identifier is held until PUBREL comes [MQTT-4.3.3-2]. */
function onQoS2(link: Link, isRepeat: boolean, acknowledgement: Acknowledgement): void {
  const { mutated } = link.services.world
  const session = link.session!
  const { packetId, isSystem } = acknowledgement
  const { chooses } = link.services.world
  const most = chooses('limits-untold') ? 65_535 : chooses('receive-maximum-of-2') ? 2 : receiveMaximum
  if (!isRepeat && session.received.size >= most && link.version === 5) {
    if (!mutated('receive-maximum-not-watched')) throw new ReceiveMaximumExceeded()
  }
  if (!isSystem || link.version < 5 || mutated('refused-ids-remembered')) session.received.add(packetId)
  acknowledge(link, 'pubrec', acknowledgement)
}

/** User Properties as they came, in their order (5.0 [MQTT-3.3.2-17] [MQTT-3.3.2-18]). */
function userPropertiesSpoilt(
  properties: PropertiesOf<'publish'> = {},
  mutated: (fault: string) => boolean,
): PropertiesOf<'publish'> {
  const { userProperties = [] } = properties
  if (userProperties.length >= 100 && mutated('hundredth-user-property-dropped')) {
    return { ...properties, userProperties: userProperties.slice(0, 99) }
  }
  if (userProperties.length < 2 || userProperties.length >= 100 || !mutated('user-properties-sorted')) return properties
  return { ...properties, userProperties: userProperties.toSorted((a, b) => (a.join() < b.join() ? -1 : 1)) }
}

class ReceiveMaximumExceeded extends ProtocolError {
  override readonly reasonCode = reason.receiveMaximumExceeded
  constructor() {
    super('protocol-error', 'more than Receive Maximum')
  }
}

/** In 3.1.1 and 5.0 alike the connection may end [MQTT-3.3.5-2]. */
class NotAuthorized extends ProtocolError {
  override readonly reasonCode = reason.notAuthorized
  constructor() {
    super('protocol-error', 'no client may publish there')
  }
}

interface Acknowledgement {
  readonly packetId: number
  /** No client may publish there. */
  readonly isSystem: boolean
  /** New, though DUP says otherwise, and nobody has subscribed. */
  readonly isUnwanted: boolean
  /** Nobody has subscribed, and the client is told. */
  readonly isUnmatched: boolean
}

function acknowledge(link: Link, type: 'puback' | 'pubrec', acknowledgement: Acknowledgement): void {
  const { packetId, isSystem, isUnwanted, isUnmatched } = acknowledgement
  const { mutated } = link.services.world
  if (isSystem && mutated('system-topics-unanswered')) return
  const refused = isSystem && link.version === 5
  const reasonCode = refused ? reason.notAuthorized : isUnmatched ? reason.noMatchingSubscribers : undefined
  const packet: Packet = { type, packetId, ...(reasonCode !== undefined && { reasonCode }) }
  link.send(packet)
  if (type === 'pubrec' && isUnwanted && mutated('pubcomp-with-pubrec')) link.send({ type: 'pubcomp', packetId })
}

/** The topic, by its name or by an alias of this connection (5.0, section 3.3.2.3.4). */
function topicOf(link: Link, { topic, properties }: Publish): string {
  const alias = properties?.topicAlias
  if (alias === undefined) return topic
  const { mutated } = link.services.world
  if (link.services.world.chooses('no-topic-aliases')) throw new ProtocolError('protocol-error', 'an alias')
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
  const { mutated, chooses } = link.services.world
  const { received } = link.session!
  const isKnown = received.delete(packetId)
  if (isKnown && mutated('identifiers-not-released')) received.add(packetId)
  if (!isKnown && mutated('unknown-pubrel-unanswered')) return
  const isUnknown = !isKnown && link.version === 5 && !chooses('unknown-identifiers-untold')
  link.send({ type: 'pubcomp', packetId, ...(isUnknown && { reasonCode: reason.packetIdentifierNotFound }) })
}
