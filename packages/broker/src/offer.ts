import type { Features } from './features.js'
import type { Limits } from './limits.js'

type OfLimits = Pick<Limits, 'maxPacketBytes' | 'receiveMaximum' | 'topicAliasMaximum'>
type OfFeatures = Pick<
  Features,
  'maximumQos' | 'retainAvailable' | 'wildcardSubscriptions' | 'subscriptionIdentifiers' | 'sharedSubscriptions'
>

/** What CONNACK of 5.0 says a client may do. It holds for a connection as it was when its CONNECT came. */
export interface Offered extends OfLimits, OfFeatures {}

/** What clients are offered that come now: made anew when limits or features change, never changed itself. */
export class Offer {
  current: Offered

  constructor(limits: OfLimits, features: OfFeatures) {
    this.current = offeredBy(limits, features)
  }

  renew(limits: OfLimits, features: OfFeatures): void {
    this.current = offeredBy(limits, features)
  }
}

function offeredBy(limits: OfLimits, features: OfFeatures): Offered {
  const { maxPacketBytes, receiveMaximum, topicAliasMaximum } = limits
  const { maximumQos, retainAvailable, wildcardSubscriptions, subscriptionIdentifiers, sharedSubscriptions } = features
  return {
    maxPacketBytes,
    receiveMaximum,
    topicAliasMaximum,
    maximumQos,
    retainAvailable,
    wildcardSubscriptions,
    subscriptionIdentifiers,
    sharedSubscriptions,
  }
}
