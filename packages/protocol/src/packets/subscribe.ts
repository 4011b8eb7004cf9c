import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { writeText } from '../fields.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import type { Reader } from '../reader.js'
import { quote } from '../text.js'
import { isTopicFilter, splitShared } from '../topic.js'
import type { ProtocolVersion, QoS } from '../version.js'
import { checkPacketId, checkQos } from './publish.js'

/** One Topic Filter of a SUBSCRIBE and how it is wanted (section 3.8.3). */
export interface Subscription {
  readonly filter: string
  /** The highest QoS at which messages are wanted. */
  readonly qos: QoS
  /** 5.0: messages this client published itself are not wanted. Default false. */
  readonly noLocal?: boolean | undefined
  /** 5.0: RETAIN stays as published. Default false. */
  readonly retainAsPublished?: boolean | undefined
  /** 5.0: retained messages are sent 0 = on every subscribe, 1 = only if the subscription is new, 2 = never. Default 0. */
  readonly retainHandling?: 0 | 1 | 2 | undefined
}

/** SUBSCRIBE (section 3.8). */
export interface Subscribe {
  readonly type: 'subscribe'
  readonly packetId: number
  readonly subscriptions: readonly Subscription[]
  readonly properties?: PropertiesOf<'subscribe'> | undefined
}

export const subscribe: Definition<Subscribe> = definePacket(
  8,
  0b0010, // [MQTT-3.8.1-1]
  (r, version) => {
    const packetId = r.packetId()
    const properties = version === 5 ? readProperties(r, 'subscribe') : undefined
    checkIdentifiers(properties)
    const subscriptions: Subscription[] = []
    while (r.left > 0) subscriptions.push(readSubscription(r, version))
    if (subscriptions.length === 0) throw new ProtocolError('protocol-error', 'SUBSCRIBE without a filter') // [MQTT-3.8.3-3]
    return { type: 'subscribe', packetId, subscriptions, ...(properties && { properties }) }
  },
  (w, { packetId, subscriptions, properties }, version) => {
    if (subscriptions.length === 0) throw new ProtocolError('protocol-error', 'SUBSCRIBE without a filter')
    w.u16(checkPacketId(packetId))
    if (version === 5) {
      checkIdentifiers(properties)
      writeProperties(w, 'subscribe', properties)
    }
    for (const subscription of subscriptions) {
      writeText(w, checkFilter(subscription.filter))
      w.u8(optionsOf(subscription, version))
    }
  },
)

function checkIdentifiers(properties: Subscribe['properties']): void {
  if ((properties?.subscriptionIdentifiers?.length ?? 0) > 1) {
    throw new ProtocolError('protocol-error', 'subscription identifier given twice')
  }
}

function readSubscription(r: Reader, version: ProtocolVersion): Subscription {
  const filter = checkFilter(r.utf8())
  const options = r.u8()
  const qos = options & 3
  if (version < 5) {
    if (qos === 3) throw new ProtocolError('malformed-packet', 'QoS 3 asked for') // [MQTT-3.8.3-4]
    if (options > 2) throw new ProtocolError('malformed-packet', 'reserved bits beside the QoS') // [MQTT-3.8.3-4]
    return { filter, qos: qos as QoS }
  }
  const retainHandling = (options >> 4) & 3
  // Section 3.8.3.1 of 5.0 tells them apart: reserved bits make the packet malformed [MQTT-3.8.3-5], a value that is none
  // is a Protocol Error.
  if (options & 0xc0) throw new ProtocolError('malformed-packet', 'reserved subscription options')
  if (qos === 3) throw new ProtocolError('protocol-error', 'QoS 3 asked for')
  if (retainHandling === 3) throw new ProtocolError('protocol-error', 'retain handling 3')
  const noLocal = (options & 4) !== 0
  checkNoLocal(noLocal, filter)
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  }
}

function optionsOf(s: Subscription, version: ProtocolVersion): number {
  const qos = checkQos(s.qos)
  if (version < 5) return qos
  const { noLocal = false, retainAsPublished = false, retainHandling = 0 } = s
  checkNoLocal(noLocal, s.filter)
  if (![0, 1, 2].includes(retainHandling))
    throw new ProtocolError('protocol-error', `retain handling ${retainHandling}`)
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4)
}

function checkNoLocal(noLocal: boolean, filter: string): void {
  if (noLocal && splitShared(filter)) throw new ProtocolError('protocol-error', 'No Local on a shared subscription') // 5.0 [MQTT-3.8.3-4]
}

/** @throws ProtocolError `topic-filter-invalid`. */
export function checkFilter(filter: string): string {
  if (isTopicFilter(filter)) return filter
  throw new ProtocolError('topic-filter-invalid', `${quote(filter)} is not a topic filter`) // [MQTT-4.7.1-2]
}
