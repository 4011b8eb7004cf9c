import { type Auth, type Connect, type PropertiesOf, reason } from '@godwit/protocol'
import { bufferOver } from '../buffer-over.js'
import { noCommit } from '../commit.js'
import { MqttError } from '../errors.js'
import type { ClientInfo } from '../hooks/client-info.js'
import type { AuthenticationStep } from '../hooks/extended-authentication.js'
import { whenReady } from '../maybe-async.js'
import { admitWill, openSession, refusalFor, refuse } from './admission.js'
import type { Answer, Context } from './context.js'

/** CONNECT with an Authentication Method begins the exchange; CONNACK comes at its end. */
export function beginAuthentication(c: Context, connect: Connect, client: ClientInfo): Answer {
  const { authenticationMethod: method = '', authenticationData } = connect.properties ?? {}
  const exchange = c.services.hooks.beginExchange(method)
  if (!exchange) {
    const why = 'this authentication method is not offered'
    return refuse(c, { reasonCode: reason.badAuthenticationMethod, why }, client.clientId) // [MQTT-4.12.0-1]
  }
  c.authenticating = { method, exchange, connect, client }
  return whenReady(exchange.next(authenticationData && bufferOver(authenticationData), client, c.signal), (step) =>
    c.closed ? undefined : onStep(c, step),
  )
}

/** AUTH (section 3.15): the next step, or from a client that is in, a re-authentication. */
export function onAuth(c: Context, p: Auth): Answer {
  const known = c.authenticating
  if (!known) throw new MqttError(reason.protocolError, 'auth without an authentication method') // [MQTT-4.12.0-7]
  const { authenticationMethod, authenticationData } = p.properties ?? {}
  if (authenticationMethod !== known.method) {
    throw new MqttError(reason.protocolError, 'auth with another method than that of connect') // [MQTT-4.12.0-5]
  }
  const again = p.reasonCode === reason.reAuthenticate && c.accepted && !known.exchange
  if (!again && (p.reasonCode !== reason.continueAuthentication || !known.exchange)) {
    throw new MqttError(reason.protocolError, 'auth out of turn')
  }
  const exchange = known.exchange ?? c.services.hooks.beginExchange(known.method)
  if (!exchange) throw new MqttError(reason.notAuthorized, 'this authentication method is not offered any more')
  c.authenticating = { ...known, exchange }
  return whenReady(
    exchange.next(authenticationData && bufferOver(authenticationData), known.client, c.signal),
    (step) => (c.closed ? undefined : onStep(c, step)),
  )
}

function onStep(c: Context, step: AuthenticationStep): Answer {
  const { method, connect, client } = c.authenticating!
  if (step.outcome === 'refused') {
    if (c.accepted) throw new MqttError(reason.notAuthorized, 're-authentication failed') // [MQTT-4.12.1-2]
    return refuse(c, refusalFor(step.admission)!, client.clientId)
  }
  const properties: PropertiesOf<'auth'> = {
    authenticationMethod: method, // in all of them [MQTT-4.12.0-5]
    ...(step.data && { authenticationData: step.data }),
  }
  if (step.outcome === 'continue') {
    return { packet: { type: 'auth', reasonCode: reason.continueAuthentication, properties }, commit: noCommit }
  }
  c.authenticating = { method, connect, client, exchange: undefined }
  if (c.accepted) return { packet: { type: 'auth', reasonCode: reason.success, properties }, commit: noCommit }
  const known = { ...client, username: step.username ?? client.username }
  return whenReady(admitWill(c, connect, known), (refusal) =>
    refusal === undefined ? openSession(c, connect, known, properties) : refuse(c, refusal, client.clientId),
  )
}
