import type { QoS } from '@godwit/protocol'

/** The terms of the subscription that retained messages are sent for. */
export interface ReplayTerms {
  /** The QoS granted. */
  readonly qos: QoS
  /** The Subscription Identifiers the messages carry; `undefined`: none. */
  readonly identifiers: readonly number[] | undefined
}

/**
 * The terms on which one message goes to one subscriber: what its filters that match come to together, that is the
 * highest QoS granted [MQTT-3.3.5-1] and the identifiers of all of them [MQTT-3.3.4-4].
 */
export interface Terms extends ReplayTerms {
  readonly retainAsPublished: boolean
}
