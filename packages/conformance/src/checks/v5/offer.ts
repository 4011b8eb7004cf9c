import type { QoS } from '@godwit/protocol'
import type { Dialogue } from '../../check.js'
import type { Offer, Trial } from '../../trial.js'

/** What a dialogue cannot do without. */
export interface Needs {
  readonly qos?: QoS
  readonly retain?: true
  readonly wildcards?: true
  readonly subscriptionIdentifiers?: true
  readonly sharedSubscriptions?: true
  /** Sessions that outlive their connection. */
  readonly sessions?: boolean
  /** QoS 1 and 2 messages of one client that are not yet acknowledged. */
  readonly inFlight?: number
  /** A Keep Alive that is the client's own affair; the server may choose another (section 3.2.2.3.14). */
  readonly keepAliveSeconds?: number
}

/** The dialogue, for servers that offer all it needs. */
export function needing(needs: Needs, dialogue: Dialogue): Dialogue {
  if (Object.keys(needs).length === 0) return dialogue
  return async (t) => {
    const missing = missingFrom(await offerOf(t, needs), needs)
    if (missing !== undefined) t.skip(`does not apply: CONNACK says ${missing}`)
    await dialogue(t)
  }
}

/** What a client is told that asks for nothing, or for a session that is kept, or for this Keep Alive. */
export async function offerOf(
  t: Trial,
  { sessions = false, keepAliveSeconds }: Pick<Needs, 'sessions' | 'keepAliveSeconds'> = {},
): Promise<Offer> {
  const c = await t.open()
  const asked = { cleanStart: !sessions, ...(keepAliveSeconds !== undefined && { keepAliveSeconds }) }
  const { properties = {} } = await c.connect(t.connectPacket(asked))
  return properties
}

function missingFrom(offer: Offer, needs: Needs): string | undefined {
  const { maximumQos = 2, receiveMaximum = 65535, sessionExpiryInterval } = offer
  if (maximumQos < (needs.qos ?? 0)) return `Maximum QoS ${maximumQos}`
  if (receiveMaximum < (needs.inFlight ?? 0)) return `Receive Maximum ${receiveMaximum}`
  if (needs.retain && offer.retainAvailable === false) return 'Retain Available 0'
  if (needs.wildcards && offer.wildcardSubscriptionAvailable === false) return 'Wildcard Subscription Available 0'
  if (needs.subscriptionIdentifiers && offer.subscriptionIdentifierAvailable === false) {
    return 'Subscription Identifiers Available 0'
  }
  if (needs.sharedSubscriptions && offer.sharedSubscriptionAvailable === false) {
    return 'Shared Subscription Available 0'
  }
  if (needs.keepAliveSeconds !== undefined && offer.serverKeepAlive !== undefined) {
    return `Server Keep Alive ${offer.serverKeepAlive}`
  }
  const isShort = sessionExpiryInterval !== undefined && sessionExpiryInterval < 60
  return needs.sessions && isShort ? `Session Expiry Interval ${sessionExpiryInterval}` : undefined
}
