import { reason } from '@godwit/protocol'
import type { Check } from './check.js'
import { bytesInWords, inWords } from './describe.js'
import type { Target } from './target.js'
import { type Credentials, type Offer, Trial } from './trial.js'

/** How a server meets a client of one version. */
export interface Reception {
  /** `other version`: it does not speak this one. `credentials`: it wants another user name or password. */
  readonly kind: 'accepted' | 'other version' | 'credentials' | 'other'
  /** What it said, in words and hex. */
  readonly said: string
  /** What CONNACK of 5.0 says it offers, where it accepts. */
  readonly offer?: Offer
}

/** Asks a server whether it lets in a client of this version that wants nothing. */
export async function receptionOf(
  target: Target,
  version: Check['version'],
  credentials?: Credentials,
): Promise<Reception> {
  const trial = new Trial(target, { scale: 0, version: version === '5.0' ? 5 : 4, credentials })
  try {
    const peer = await trial.open()
    peer.send(trial.connectPacket())
    await peer.answered()
    const [received] = peer.heard()
    if (!received) return { kind: 'other', said: peer.isClosed ? 'it closed the connection' : 'nothing came' }
    const { packet, bytes } = received
    const said = packet ? inWords(received) : bytesInWords(bytes, 4) // a server of 3.1.1 answers in its own form
    if (packet?.type === 'connack' && packet.reasonCode === 0) {
      return { kind: 'accepted', said, ...(version === '5.0' && { offer: packet.properties ?? {} }) }
    }
    return { kind: bytes[0] === connackByte ? kindOf(bytes[3]) : 'other', said }
  } catch (error) {
    return { kind: 'other', said: String(error) }
  } finally {
    await trial.finish().catch(() => {}) // a server that fails here will fail a check
  }
}

const connackByte = 0x20

/** What a CONNACK means that refuses, in the form of either version: a server answers in its own. */
function kindOf(code: number | undefined): Reception['kind'] {
  if (code === 1 || code === reason.unsupportedProtocolVersion) return 'other version'
  return code === 4 || code === 5 || code === reason.badUserNameOrPassword || code === reason.notAuthorized
    ? 'credentials'
    : 'other'
}

/** Asks the server what it offers: what CONNACK of 5.0 says. `undefined` when it does not accept a client of 5.0. */
export async function serverOffer(target: Target, credentials?: Credentials): Promise<Offer | undefined> {
  return (await receptionOf(target, '5.0', credentials)).offer
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
