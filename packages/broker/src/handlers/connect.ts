import { randomUUID } from 'node:crypto'
import { byteLength, type Connect, reason, topicLevels } from '@godwit/protocol'
import type { ClientInfo } from '../hooks/client-info.js'
import { whenReady } from '../maybe-async.js'
import { admit, keepAliveOf, openSession, refuse } from './admission.js'
import { beginAuthentication } from './auth.js'
import type { Answer, Context } from './context.js'

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
  if (p.properties?.authenticationMethod !== undefined) return beginAuthentication(c, p, client)
  return whenReady(admit(c, p, client), (refusal) =>
    refusal === undefined ? openSession(c, p, client) : refuse(refusal),
  )
}

/** Why the broker will not serve this CONNECT, as a reason code; nobody needs to be asked for that. */
function objectionTo(c: Context, p: Connect): number | undefined {
  const { limits, features } = c.services
  if (p.version === 3) return reason.unsupportedProtocolVersion // [MQTT-3.1.2-2]
  // Below 5.0 an id can be left to the server only by a session that ends with the connection [MQTT-3.1.3-8].
  const mayBeEmpty = features.emptyClientIds && (p.version === 5 || p.cleanStart)
  if (p.clientId === '' && !mayBeEmpty) return reason.clientIdentifierNotValid
  if (byteLength(p.clientId) > limits.maxClientIdBytes) return reason.clientIdentifierNotValid // [MQTT-3.1.3-9]
  if (p.version < 5 && keepAliveOf(c, p) !== p.keepAliveSeconds) {
    return reason.clientIdentifierNotValid // 3.1.1 has no code for it; this is what other servers answer
  }
  return p.will && objectionToWill(c, p.will)
}

function objectionToWill(c: Context, will: NonNullable<Connect['will']>): number | undefined {
  const { limits, features } = c.services
  if (topicLevels(will.topic) > limits.maxTopicLevels) {
    return c.version === 5 ? reason.topicNameInvalid : reason.notAuthorized
  }
  if (c.version < 5) return undefined // 3.1.1 cannot be told: its will is published as far as the broker goes
  if (will.qos > features.maximumQos) return reason.qosNotSupported // [MQTT-3.2.2-12]
  return will.retain && !features.retainAvailable ? reason.retainNotSupported : undefined // [MQTT-3.2.2-13]
}
