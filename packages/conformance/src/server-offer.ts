import type { Target } from './target.js'
import { type Credentials, type Offer, Trial } from './trial.js'

/** Asks the server what it offers: what CONNACK of 5.0 says. `undefined` when it does not accept a client of 5.0. */
export async function serverOffer(target: Target, credentials?: Credentials): Promise<Offer | undefined> {
  const trial = new Trial(target, { scale: 0, version: 5, credentials })
  try {
    const peer = await trial.open()
    const { properties = {} } = await peer.connect(trial.connectPacket())
    return properties
  } catch {
    return undefined
  } finally {
    await trial.finish().catch(() => {}) // a server that fails here will fail a check
  }
}

/** The offer in a line, with the defaults of section 3.2.2.3 where CONNACK says nothing. */
export function offerInWords(offer: Offer | undefined): string {
  if (!offer) return 'accepts no client of MQTT 5.0'
  const { maximumQos = 2, receiveMaximum = 65_535, topicAliasMaximum = 0, maximumPacketSize, serverKeepAlive } = offer
  const lacks = [
    offer.retainAvailable === false && 'retained messages',
    offer.wildcardSubscriptionAvailable === false && 'wildcards',
    offer.sharedSubscriptionAvailable === false && 'shared subscriptions',
    offer.subscriptionIdentifierAvailable === false && 'subscription identifiers',
  ].filter((name) => name !== false)
  return [
    `QoS up to ${maximumQos}`,
    `Receive Maximum ${receiveMaximum}`,
    `Topic Alias Maximum ${topicAliasMaximum}`,
    ...(maximumPacketSize === undefined ? [] : [`packets up to ${maximumPacketSize} bytes`]),
    ...(serverKeepAlive === undefined ? [] : [`Keep Alive ${serverKeepAlive} s`]),
    lacks.length > 0 ? `without ${lacks.join(', ')}` : 'every feature',
  ].join(', ')
}
