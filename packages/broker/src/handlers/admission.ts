import { type Connect, type PropertiesOf, reason } from '@godwit/protocol'
import type { Admission, ClientInfo } from '../hooks/client-info.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Answer, Context, Reply } from './context.js'

/** Asks the hooks whether the client may come in and leave its will. Answers a reason code when not. */
export function admit(c: Context, p: Connect, client: ClientInfo): MaybeAsync<number | undefined> {
  const { hooks } = c.services
  return whenReady(hooks.authenticate({ ...client, password: p.password }), (admission) => {
    const refusal = refusalFor(admission)
    return refusal === undefined ? admitWill(c, p, client) : refusal
  })
}

/** A will is a PUBLISH to come. */
export function admitWill(c: Context, { will }: Connect, client: ClientInfo): MaybeAsync<number | undefined> {
  if (!will || isSystemTopic(will.topic)) return undefined
  const { topic, qos, retain } = will
  const allowed = c.services.hooks.authorize({ action: 'publish', client, topic, qos, retain })
  return whenReady(allowed, (yes) => (yes ? undefined : reason.notAuthorized))
}

export function refusalFor(admission: Admission): number | undefined {
  switch (admission) {
    case true:
      return undefined
    case 'bad-credentials':
      return reason.badUserNameOrPassword
    case 'unavailable':
      return reason.serverUnavailable
    default:
      return reason.notAuthorized
  }
}

/** The session, then CONNACK, then what waits for the client, in this order. */
export function openSession(c: Context, p: Connect, client: ClientInfo, authentication?: PropertiesOf<'auth'>): Answer {
  if (c.closed) return undefined
  const expirySeconds = expiryOf(c, p)
  const opening = { clientId: client.clientId, clean: p.cleanStart, expirySeconds, will: p.will }
  return whenReady(c.services.registry.open(opening, c), ({ session, present, commit }) => {
    const keepAliveSeconds = keepAliveOf(c, p)
    c.accept(client, session, p, keepAliveSeconds)
    const properties =
      p.version === 5 ? { ...announce(c, p, client, expirySeconds, keepAliveSeconds), ...authentication } : undefined
    return {
      packet: {
        type: 'connack',
        sessionPresent: present,
        reasonCode: reason.success,
        ...(properties && { properties }),
      },
      commit,
      sent: () => c.startDelivery(),
    }
  })
}

/** Seconds the session outlives the connection: asked for at 5.0, the broker's own measure for Clean Session 0 below. */
function expiryOf(c: Context, p: Connect): number {
  const { sessionExpirySeconds, maxSessionExpirySeconds } = c.services.limits
  if (p.version < 5) return p.cleanStart ? 0 : sessionExpirySeconds
  return Math.min(p.properties?.sessionExpiryInterval ?? 0, maxSessionExpirySeconds)
}

/** Seconds of Keep Alive in force. */
export function keepAliveOf(c: Context, { keepAliveSeconds }: Connect): number {
  const most = c.services.limits.maxKeepAliveSeconds
  return most > 0 && (keepAliveSeconds === 0 || keepAliveSeconds > most) ? most : keepAliveSeconds
}

/** What CONNACK says of the broker: what differs from the standard's defaults, and Receive Maximum always. */
function announce(
  c: Context,
  p: Connect,
  client: ClientInfo,
  expirySeconds: number,
  keepAliveSeconds: number,
): PropertiesOf<'connack'> {
  const { limits, features } = c.services
  return {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.maxPacketBytes,
    ...(limits.topicAliasMaximum > 0 && { topicAliasMaximum: limits.topicAliasMaximum }),
    ...(expirySeconds !== (p.properties?.sessionExpiryInterval ?? 0) && { sessionExpiryInterval: expirySeconds }),
    ...(p.clientId === '' && { assignedClientIdentifier: client.clientId }), // [MQTT-3.2.2-16]
    ...(keepAliveSeconds !== p.keepAliveSeconds && { serverKeepAlive: keepAliveSeconds }),
    ...(features.maximumQos < 2 && { maximumQos: features.maximumQos as 0 | 1 }), // [MQTT-3.2.2-9]
    ...(!features.retainAvailable && { retainAvailable: false }),
    ...(!features.wildcardSubscriptions && { wildcardSubscriptionAvailable: false }),
    ...(!features.sharedSubscriptions && { sharedSubscriptionAvailable: false }),
  }
}

/** A refusing CONNACK has Session Present 0 and is followed by a close [MQTT-3.2.2-4] [MQTT-3.2.2-5]. */
export function refuse(reasonCode: number): Reply {
  return { packet: { type: 'connack', sessionPresent: false, reasonCode }, commit: 0, close: true }
}
