import { type Connect, type PropertiesOf, reason } from '@godwit/protocol'
import type { Link } from './link.js'
import { longestSessionSeconds, receiveMaximum, serverKeepAlive, topicAliasMaximum } from './offer.js'
import type { World } from './world.js'

/** CONNECT (section 3.1): refused, or given its session and then what waits for it. */
export function onConnect(link: Link, connect: Connect): void {
  const { registry, router, world } = link.services
  const { mutated } = world
  link.version = connect.version
  link.setTerms(connect)
  const isUnwanted = connect.clientId === '' && world.chooses('nameless-refused')
  const objection = isUnwanted ? 0x85 : objectionTo(link, connect)
  if (objection !== undefined) return link.refuse(objection)
  const clientId = connect.clientId || registry.assign(connect)
  if (connect.properties?.authenticationMethod !== undefined && asksForMore(link, connect)) return
  const older = router.sessions.get(registry.keyOf(clientId))
  const takenOver = older?.outlet as Link | undefined
  const isPlain = connect.cleanStart && older?.expiryMs === 0
  if (takenOver && !(isPlain && mutated('older-connection-stays')))
    takenOver.end(mutated('taken-over-in-other-words') ? 0x98 : reason.sessionTakenOver)
  const { session, present } = registry.open(connect, clientId)
  if (takenOver && connect.cleanStart && mutated('subscriptions-survive-take-over')) {
    for (const [filter, one] of older!.subscriptions) session.subscriptions.set(filter, one)
  }
  link.session = session
  link.will = connect.will
  const isOwn = connect.version === 5 && world.chooses('keep-alive-of-its-own')
  link.keepAlive(isOwn ? serverKeepAlive : connect.keepAliveSeconds)
  link.send({
    type: 'connack',
    sessionPresent: present,
    reasonCode: reason.success,
    ...(connect.version === 5 && { properties: offerTo(connect, clientId, world) }),
  })
  session.resume(link, takenOver !== undefined)
}

const authFaults = [
  'auth-asks-with-0x19',
  'auth-with-code-1',
  'auth-with-another-method',
  'reasonString-kept-in-auth',
  'userProperties-kept-in-auth',
] as const

/** The responder knows no authentication method; some faults are to ask on all the same (5.0, section 4.12). */
function asksForMore(link: Link, { properties }: Connect): boolean {
  const { mutated } = link.services.world
  if (properties?.authenticationMethod !== 'SCRAM-SHA-256' || !authFaults.some(mutated)) return false
  const authenticationMethod = mutated('auth-with-another-method') ? 'another' : properties.authenticationMethod
  const reasonCode = mutated('auth-asks-with-0x19') ? reason.reAuthenticate : reason.continueAuthentication
  link.send({ type: 'auth', reasonCode, properties: { authenticationMethod } })
  return true
}

function objectionTo(link: Link, connect: Connect): number | undefined {
  const { mutated } = link.services.world
  const { version, clientId, cleanStart, properties, keepAliveSeconds } = connect
  if (version === 3) return reason.unsupportedProtocolVersion
  if (keepAliveSeconds > 60_000 && mutated('long-keep-alive-refused')) return reason.notAuthorized
  const isUnnamed = version === 4 && clientId === '' && !cleanStart && !mutated('empty-id-always-taken')
  // [MQTT-3.1.3-8]
  if (isUnnamed) return mutated('empty-id-refused-as-not-authorized') ? reason.notAuthorized : 0x85
  if (link.services.router.sessions.size >= 50 && mutated('fifty-sessions-at-most')) return reason.serverUnavailable
  if (clientId.length === 23 && mutated('client-ids-end-at-20')) return 0x85
  if (clientId.length > 65_000 && mutated('long-client-ids-refused-with-5')) return reason.notAuthorized
  const method = properties?.authenticationMethod
  if (method === undefined || (cleanStart && mutated('any-authentication-method'))) return undefined
  if (mutated('authentication-refused-with-0x81')) return reason.malformedPacket
  const knowsScram = mutated('scram-lets-anybody-in') || authFaults.some(mutated)
  if (method !== 'SCRAM-SHA-256' || !knowsScram) return reason.badAuthenticationMethod // 5.0 [MQTT-4.12.0-1]
  return undefined
}

/** Nothing that would not hold without it. */
const more = {
  maximumPacketSize: 100_000_000,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  sharedSubscriptionAvailable: true,
} as const

/** What CONNACK says of the server (5.0, section 3.2.2.3). */
function offerTo(
  { clientId, username, properties = {} }: Connect,
  assigned: string,
  { mutated, chooses }: World,
): PropertiesOf<'connack'> {
  const told = clientId === '' && mutated('another-id-told') ? `${assigned}-or-so` : assigned
  const isUnasked = properties.requestResponseInformation === false && mutated('response-information-unasked')
  return {
    ...limitsTold(chooses),
    ...(clientId === '' && { assignedClientIdentifier: told }), // [MQTT-3.2.2-16]
    ...(mutated('maximum-qos-1-but-grants-2') && { maximumQos: 1 as const }),
    ...(mutated('maximum-qos-1-but-takes-wills') && { maximumQos: 1 as const }),
    ...(mutated('no-retain-but-takes-wills') && { retainAvailable: false }),
    ...(username !== undefined && mutated('connack-with-method-unasked') && { authenticationMethod: 'unasked' }),
    ...(isUnasked && { responseInformation: 'answers/' }),
  }
}

function limitsTold(chooses: World['chooses']): PropertiesOf<'connack'> {
  return {
    ...(chooses('says-more-in-connack') && more),
    ...(!chooses('limits-untold') && { receiveMaximum: chooses('receive-maximum-of-2') ? 2 : receiveMaximum }),
    ...(chooses('packets-of-1000-bytes') && { maximumPacketSize: 1000 }),
    ...(chooses('sessions-end-sooner') && { sessionExpiryInterval: longestSessionSeconds }),
    ...(!chooses('no-topic-aliases') && { topicAliasMaximum }),
    ...(chooses('keep-alive-of-its-own') && { serverKeepAlive }),
    ...(chooses('identifiers-refused') && { subscriptionIdentifierAvailable: false }),
  }
}
