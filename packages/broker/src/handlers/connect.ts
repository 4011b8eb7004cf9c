import { randomUUID } from 'node:crypto'
import { byteLength, type Connect, reason, topicLevels } from '@godwit/protocol'
import type { Admission, ClientInfo } from '../hooks/hooks.js'
import { whenReady } from '../maybe-async.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Answer, Context, Reply } from './context.js'

/** CONNECT (section 3.1): check, ask who it is, give it its session, greet. */
export function onConnect(c: Context, p: Connect): Answer {
  const objection = objectionTo(c, p)
  if (objection !== undefined) return refuse(objection)
  const client: ClientInfo = {
    clientId: p.clientId || `godwit-${randomUUID()}`, // [MQTT-3.1.3-6]
    username: p.username,
    address: c.address,
    version: p.version,
    cleanStart: p.cleanStart,
  }
  return whenReady(admit(c, p, client), (refusal) => (refusal === undefined ? open(c, p, client) : refuse(refusal)))
}

/** Why the broker will not serve this CONNECT, as a reason code; nobody needs to be asked for that. */
function objectionTo(c: Context, p: Connect): number | undefined {
  const { limits, features } = c.services
  if (p.version !== 4) return reason.unsupportedProtocolVersion // [MQTT-3.1.2-2]
  if (p.clientId === '' && (!p.cleanStart || !features.emptyClientIds)) return reason.clientIdentifierNotValid // [MQTT-3.1.3-8]
  if (byteLength(p.clientId) > limits.maxClientIdBytes) return reason.clientIdentifierNotValid // [MQTT-3.1.3-9]
  if (limits.maxKeepAliveSeconds > 0 && (p.keepAliveSeconds === 0 || p.keepAliveSeconds > limits.maxKeepAliveSeconds)) {
    return reason.clientIdentifierNotValid // 3.1.1 has no code for it; this is what other servers answer
  }
  if (p.will && topicLevels(p.will.topic) > limits.maxTopicLevels) return reason.notAuthorized
  return undefined
}

/** Asks the hooks whether the client may come in and leave its will. Answers a reason code when not. */
function admit(c: Context, p: Connect, client: ClientInfo): number | undefined | Promise<number | undefined> {
  const { hooks } = c.services
  return whenReady(hooks.authenticate({ ...client, password: p.password }), (admission) => {
    const refusal = refusalFor(admission)
    if (refusal !== undefined || !p.will || isSystemTopic(p.will.topic)) return refusal
    const { topic, qos, retain } = p.will
    const allowed = hooks.authorize({ action: 'publish', client, topic, qos, retain })
    return whenReady(allowed, (yes) => (yes ? undefined : reason.notAuthorized))
  })
}

function refusalFor(admission: Admission): number | undefined {
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
function open(c: Context, p: Connect, client: ClientInfo): Answer {
  if (c.closed) return undefined
  return whenReady(
    c.services.registry.open(client.clientId, p.cleanStart, p.will, c),
    ({ session, present, commit }) => {
      c.accept(client, session, p)
      return {
        packet: { type: 'connack', sessionPresent: present, reasonCode: reason.success },
        commit,
        sent: () => c.startDelivery(),
      }
    },
  )
}

/** A refusing CONNACK has Session Present 0 and is followed by a close [MQTT-3.2.2-4] [MQTT-3.2.2-5]. */
function refuse(reasonCode: number): Reply {
  return { packet: { type: 'connack', sessionPresent: false, reasonCode }, commit: 0, close: true }
}
