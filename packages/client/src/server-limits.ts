import {
  byteLength,
  encodePublishHead,
  type PropertiesOf,
  type ProtocolVersion,
  reason,
  reasonName,
  splitShared,
  Writer,
} from '@godwit/protocol'
import { PublishError } from './errors.js'
import { mostPublishBytes } from './most-publish-bytes.js'
import type { Outgoing } from './state/outgoing.js'

/** What CONNACK allows, with the standard's defaults for what it does not mention (section 3.2.2.3). */
export interface ServerLimits {
  readonly receiveMaximum: number
  readonly maximumQos: number
  readonly retainAvailable: boolean
  readonly maximumPacketSize: number
  readonly topicAliasMaximum: number
  readonly wildcardSubscriptionAvailable: boolean
  readonly sharedSubscriptionAvailable: boolean
  readonly subscriptionIdentifierAvailable: boolean
}

export function serverLimits(
  version: ProtocolVersion,
  properties: PropertiesOf<'connack'> | undefined = {},
): ServerLimits {
  return {
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumQos: properties.maximumQos ?? 2,
    retainAvailable: properties.retainAvailable ?? true,
    maximumPacketSize: properties.maximumPacketSize ?? Infinity,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0, // [MQTT-3.2.2-18]
    wildcardSubscriptionAvailable: properties.wildcardSubscriptionAvailable ?? true,
    sharedSubscriptionAvailable: properties.sharedSubscriptionAvailable ?? true,
    subscriptionIdentifierAvailable: version === 5 && (properties.subscriptionIdentifierAvailable ?? true),
  }
}

type Publication = Pick<Outgoing, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>

/** Why a publication may not be sent to this server. */
export function publicationRefused(limits: ServerLimits, publication: Publication): PublishError | undefined {
  const { topic, qos, retain } = publication
  if (qos > limits.maximumQos) {
    const message = `the server takes QoS ${limits.maximumQos} at most` // [MQTT-3.2.2-11]
    return new PublishError('qos-not-supported', topic, message, reason.qosNotSupported)
  }
  if (retain && !limits.retainAvailable) {
    const message = reasonName(reason.retainNotSupported) // [MQTT-3.2.2-14]
    return new PublishError('retain-not-supported', topic, message, reason.retainNotSupported)
  }
  const { maximumPacketSize } = limits
  const bytes = mostPublishBytes(publication) <= maximumPacketSize ? 0 : publishBytes(publication)
  if (bytes <= maximumPacketSize) return undefined
  const message = `a packet of ${bytes} bytes; the server takes ${maximumPacketSize} at most` // [MQTT-3.2.2-15]
  return new PublishError('packet-too-large', topic, message, reason.packetTooLarge)
}

/**
 * The size of a PUBLISH at 5.0, its fixed header included.
 * @throws ProtocolError when a property may not be sent.
 */
export function publishBytes({ topic, payload, qos, retain, properties }: Publication): number {
  const head = new Writer(256)
  encodePublishHead(head, topic, qos, retain, false, 1, properties, payload.length, 5)
  return head.position + payload.length
}

/** What SUBSCRIBE has beside one filter: header, packet id, Subscription Identifier, the filter's length and options. */
const subscribeBytes = 5 + 2 + 1 + 5 + 3

/** The reason code with which the server would refuse a filter; undefined when it takes it. */
export function filterRefused(limits: ServerLimits, filter: string): number | undefined {
  if (byteLength(filter) + subscribeBytes > limits.maximumPacketSize) return reason.packetTooLarge
  if (!limits.sharedSubscriptionAvailable && splitShared(filter)) return reason.sharedSubscriptionsNotSupported
  if (!limits.wildcardSubscriptionAvailable && /[+#]/.test(filter)) return reason.wildcardSubscriptionsNotSupported
  return undefined
}
