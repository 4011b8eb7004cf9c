import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'

/** How a subscription was granted (5.0, section 3.8.3.1). */
export interface Grant {
  readonly qos: QoS
  /** Messages this client published itself are not wanted. */
  readonly noLocal: boolean
  /** RETAIN stays as published. */
  readonly retainAsPublished: boolean
  /** The Subscription Identifier; 0: none. */
  readonly identifier: number
}

/** A grant with nothing asked for but a QoS: all there is below 5.0. */
export function plainGrant(qos: QoS): Grant {
  return { qos, noLocal: false, retainAsPublished: false, identifier: 0 }
}

/** The terms on which one message goes to one subscriber: what its filters that match come to together. */
export interface Terms {
  /** The highest QoS granted [MQTT-3.3.5-1]. */
  readonly qos: QoS
  readonly retainAsPublished: boolean
  /** The Subscription Identifiers of all that match [MQTT-3.3.4-4]; `undefined`: none. */
  readonly identifiers: readonly number[] | undefined
}

/** Whoever messages are routed to: a session's delivery, an in-process listener, later another node. */
export interface Subscriber {
  /** The Client Identifier, for No Local; empty where there is none. */
  readonly clientId: string
  /** Takes a message over, on these terms. Answers the commit that makes it safe; 0: nothing to wait for. */
  deliver(message: Message, terms: Terms): Commit
}
