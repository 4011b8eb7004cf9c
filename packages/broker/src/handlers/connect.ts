import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { byteLength, type Connect, reason, topicLevels } from '@godwit/protocol'
import type { ClientInfo } from '../hooks/client-info.js'
import { whenReady } from '../maybe-async.js'
import { admit, keepAliveOf, openSession, type Refusal, refuse } from './admission.js'
import { beginAuthentication } from './auth.js'
import type { Answer, Context } from './context.js'

/** CONNECT (section 3.1): check, ask who it is, give it its session, greet. */
export function onConnect(c: Context, p: Connect): Answer {
  const objection = objectionTo(c, p)
  if (objection) return refuse(c, objection, p.clientId)
  const client: ClientInfo = {
    clientId: p.clientId || `godwit-${randomUUID()}`, // [MQTT-3.1.3-6]
    username: p.username,
    address: c.peer.address,
    version: p.version,
    cleanStart: p.cleanStart,
    ...(p.bridge && { bridge: true }),
    ...(c.peer.listener !== undefined && { listener: c.peer.listener }),
    ...(c.peer.certificate && { certificate: c.peer.certificate }),
  }
  if (p.properties?.authenticationMethod !== undefined) return beginAuthentication(c, p, client)
  return whenReady(admit(c, p, client), (answer) =>
    'reasonCode' in answer ? refuse(c, answer, client.clientId) : openSession(c, p, answer),
  )
}

const noMqtt31 = 'MQTT 3.1 is not served here; the option mqtt31 (godwit broker --mqtt31) turns it on'

/** Why the broker will not serve this CONNECT; nobody needs to be asked for that. */
function objectionTo(c: Context, p: Connect): Refusal | undefined {
  const { features } = c.services
  if (p.version === 3 && !features.mqtt31) {
    return { reasonCode: reason.unsupportedProtocolVersion, why: noMqtt31 } // [MQTT-3.1.2-2]
  }
  if (p.bridge && !features.bridgeProtocol) {
    return { reasonCode: reason.unsupportedProtocolVersion, why: 'bridges that mark themselves are not served here' }
  }
  const objection = objectionToClientId(c, p)
  if (objection) return { reasonCode: reason.clientIdentifierNotValid, why: objection } // [MQTT-3.1.3-9]
  if (p.version < 5 && keepAliveOf(c, p) !== p.keepAliveSeconds) {
    // Below 5.0 there is no code for it; this is what other servers answer.
    return { reasonCode: reason.clientIdentifierNotValid, why: 'keep alive is beyond the limit' }
  }
  return p.will && objectionToWill(c, p.will)
}

function objectionToClientId(c: Context, { clientId, version, cleanStart }: Connect): string | undefined {
  const { limits, features } = c.services
  if (clientId === '') {
    // Below 5.0 an id can be left to the server only by a session that ends with the connection [MQTT-3.1.3-8]; in 3.1, never.
    const mayBeEmpty = features.emptyClientIds && (version === 5 || (version === 4 && cleanStart))
    return mayBeEmpty ? undefined : 'a client identifier is needed here'
  }
  if (version === 3 && [...clientId].length > mostCharactersOf31) return 'MQTT 3.1 has no longer client identifiers'
  const isTooLong = byteLength(clientId) > limits.maxClientIdBytes
  return isTooLong ? `client identifiers end at ${limits.maxClientIdBytes} bytes` : undefined
}

/** The longest Client Identifier of 3.1 (its section 3.1). */
const mostCharactersOf31 = 23

function objectionToWill(c: Context, will: NonNullable<Connect['will']>): Refusal | undefined {
  const { limits, features } = c.services
  if (byteLength(will.topic) > limits.maxTopicBytes) {
    const reasonCode = c.version === 5 ? reason.topicNameInvalid : reason.notAuthorized
    return { reasonCode, why: `the will's topic has more than ${limits.maxTopicBytes} bytes` }
  }
  if (topicLevels(will.topic) > limits.maxTopicLevels) {
    const reasonCode = c.version === 5 ? reason.topicNameInvalid : reason.notAuthorized
    return { reasonCode, why: `the will's topic has more than ${limits.maxTopicLevels} levels` }
  }
  if (c.version < 5) return undefined // it cannot be told: its will is published as far as the broker goes
  if (will.qos > c.offered.maximumQos) {
    return { reasonCode: reason.qosNotSupported, why: `will QoS ${will.qos} is not supported here` } // [MQTT-3.2.2-12]
  }
  if (will.retain && !c.offered.retainAvailable) {
    return { reasonCode: reason.retainNotSupported, why: 'retained messages are not supported here' } // [MQTT-3.2.2-13]
  }
  if (features.checkPayloadFormat && will.properties?.payloadFormatIndicator === 1 && !isUtf8(will.payload)) {
    return { reasonCode: reason.payloadFormatInvalid, why: "the will's payload is not UTF-8, as it says" }
  }
  return undefined
}
