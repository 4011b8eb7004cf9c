import { type Connect, connackReturnCode, isTopicName, type PropertiesOf, reason } from '@godwit/protocol'
import { brokerProperty, marksProperty, saysItIsABridge } from '../bridging.js'
import { bufferOver } from '../buffer-over.js'
import { noCommit } from '../commit.js'
import type { Admission, ClientInfo, Redirection } from '../hooks/client-info.js'
import { shownToBe } from '../hooks/hook-runner.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { ConnectionRefusal } from '../metrics.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Answer, Context, Reply, Services } from './context.js'
import { reasonInWords } from './reason-string.js'

/** Why a client may not come in. */
export interface Refusal {
  readonly reasonCode: number
  readonly why: string
  readonly serverReference?: string
  /** What it counts as. Default: by the reason code. */
  readonly counts?: ConnectionRefusal
}

/** Asks the hooks whether the client may come in and leave its will. Answers who it is, or why not. */
export function admit(c: Context, p: Connect, client: ClientInfo): MaybeAsync<ClientInfo | Refusal> {
  const { hooks } = c.services
  const { signal } = hooks.asksWho ? c : {}
  const admission = hooks.authenticate({
    ...client,
    password: p.password && bufferOver(p.password),
    ...(signal && { signal }),
  })
  return whenReady(admission, (admission) => {
    const refusal = refusalFor(admission)
    if (refusal) return refusal
    const isSomebody = typeof admission === 'object' && 'admittedAs' in admission
    const known = isSomebody ? { ...client, ...shownToBe(client, admission.admittedAs) } : client
    return whenReady(admitWill(c, p, known), (refused) => refused ?? known)
  })
}

/** A will is a PUBLISH to come. */
export function admitWill(c: Context, { will }: Connect, client: ClientInfo): MaybeAsync<Refusal | undefined> {
  if (!will || isSystemTopic(will.topic)) return undefined
  const { topic, qos, retain } = will
  const allowed = c.services.hooks.authorize({ action: 'publish', client, topic, qos, retain })
  return whenReady(allowed, (yes) => (yes ? undefined : willNotAuthorized))
}

const willNotAuthorized: Refusal = { reasonCode: reason.notAuthorized, why: 'not authorized to publish the will' }
const notAuthorized: Refusal = { reasonCode: reason.notAuthorized, why: 'not authorized to connect' }

const tooManySessions: Refusal = {
  reasonCode: reason.quotaExceeded,
  why: 'the server keeps as many sessions as it can',
  counts: 'sessions',
}

const noRoom: Refusal = {
  reasonCode: reason.quotaExceeded,
  why: 'the server has no room to keep another session',
  counts: 'storage',
}

/** No CONNACK could be sent, whatever session it is for. */
const silent: Refusal = {
  reasonCode: reason.serverUnavailable,
  why: 'the server can keep nothing now; try again later',
  counts: 'storage',
}

const usedInside: Refusal = {
  reasonCode: reason.clientIdentifierNotValid,
  why: 'the server uses this client identifier itself',
}

/** For a new session: one that is resumed is let in, since it takes away what is kept for it. */
function hasNoRoom({ services }: Context, clientId: string, cleanStart: boolean, expirySeconds: number): boolean {
  const isResumed = !cleanStart && services.registry.get(clientId) !== undefined
  if (isResumed) return false
  return services.accounts.stored.isFull || (expirySeconds > 0 && services.store.isLow)
}

export function refusalFor(admission: Admission): Refusal | undefined {
  switch (admission) {
    case true:
      return undefined
    case 'bad-credentials':
      return { reasonCode: reason.badUserNameOrPassword, why: 'the user name or password is malformed' }
    case 'unavailable':
      return {
        reasonCode: reason.serverUnavailable,
        why: 'the server cannot tell now who may connect; try again later',
      }
    default:
      if (typeof admission !== 'object') return notAuthorized
      return 'admittedAs' in admission ? undefined : redirection(admission)
  }
}

function redirection({ redirectTo, permanently = false }: Redirection): Refusal {
  return {
    reasonCode: permanently ? reason.serverMoved : reason.useAnotherServer,
    why: permanently ? 'the server has moved' : 'use another server',
    serverReference: redirectTo,
  }
}

/** The session, then CONNACK, then what waits for the client, in this order. */
export function openSession(c: Context, p: Connect, client: ClientInfo, authentication?: PropertiesOf<'auth'>): Answer {
  if (c.closed) return undefined
  const { registry, limits, store } = c.services
  if (store.isSilent) return refuse(c, silent, client.clientId)
  if (registry.count >= limits.maxSessions && !registry.get(client.clientId))
    return refuse(c, tooManySessions, client.clientId)
  const expirySeconds = expiryOf(c, p)
  if (hasNoRoom(c, client.clientId, p.cleanStart, expirySeconds)) return refuse(c, noRoom, client.clientId)
  const opening = { clientId: client.clientId, clean: p.cleanStart, expirySeconds, will: p.will }
  return whenReady(registry.open(opening, c), (opened) => {
    if (!opened) return undefined
    if (opened === 'in-use') return refuse(c, usedInside, client.clientId)
    const { session, present, commit } = opened
    if (c.closed) {
      registry.closed(session) // while it was being opened
      return undefined
    }
    const keepAliveSeconds = keepAliveOf(c, p)
    c.accept(client, session, p, keepAliveSeconds)
    c.services.metrics.clientsAccepted++
    const properties =
      p.version === 5 ? { ...announce(c, p, client, expirySeconds, keepAliveSeconds), ...authentication } : undefined
    return {
      packet: {
        type: 'connack',
        sessionPresent: present && p.version > 3, // 3.1 has no such flag
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
  const { offered } = c
  return {
    receiveMaximum: offered.receiveMaximum,
    maximumPacketSize: offered.maxPacketBytes,
    ...(offered.topicAliasMaximum > 0 && { topicAliasMaximum: offered.topicAliasMaximum }),
    ...(expirySeconds !== (p.properties?.sessionExpiryInterval ?? 0) && { sessionExpiryInterval: expirySeconds }),
    ...(p.clientId === '' && { assignedClientIdentifier: client.clientId }), // [MQTT-3.2.2-16]
    ...(keepAliveSeconds !== p.keepAliveSeconds && { serverKeepAlive: keepAliveSeconds }),
    ...(offered.maximumQos < 2 && { maximumQos: offered.maximumQos as 0 | 1 }), // [MQTT-3.2.2-9]
    ...(!offered.retainAvailable && { retainAvailable: false }),
    ...(!offered.wildcardSubscriptions && { wildcardSubscriptionAvailable: false }),
    ...(!offered.subscriptionIdentifiers && { subscriptionIdentifierAvailable: false }),
    ...(!offered.sharedSubscriptions && { sharedSubscriptionAvailable: false }),
    ...(saysItIsABridge(p) && { userProperties: saidToBridge(c) }),
    ...(p.properties?.requestResponseInformation && responseInformationFor(c, client)), // [MQTT-3.1.2-28]
  }
}

/** Which broker this is, and whether the client is taken for the bridge that it says it is. */
function saidToBridge(c: Context): readonly (readonly [string, string])[] {
  const broker = [brokerProperty, c.services.brokerId] as const
  return c.isBridge ? [broker, [marksProperty, 'taken']] : [broker]
}

/** What the embedding program answers, if it can be the beginning of a Response Topic (section 3.2.2.3.15). */
function responseInformationFor(c: Context, client: ClientInfo): PropertiesOf<'connack'> | undefined {
  const { responseInformation, faults, log } = c.services
  if (!responseInformation) return undefined
  try {
    const answer = responseInformation(client)
    if (answer === undefined) return undefined
    if (isTopicName(answer)) return { responseInformation: answer }
    log.log('error', 'responseInformation answered what is no topic name', { clientId: client.clientId })
  } catch (error) {
    faults.ofHook(error, 'responseInformation failed', client.clientId)
  }
  return undefined
}

/**
 * A refusing CONNACK has Session Present 0 and is followed by a close [MQTT-3.2.2-4] [MQTT-3.2.2-5].
 * @param clientId what the client calls itself, as far as that is known: for the log.
 */
export function refuse(
  c: Pick<Context, 'peer' | 'version' | 'wantsReasons'> & { readonly services: Pick<Services, 'drops'> },
  { reasonCode, why, serverReference, counts }: Refusal,
  clientId?: string,
): Reply {
  c.services.drops.refused(counts ?? refusalOf(reasonCode), c.peer.address, { clientId, why })
  const tellable = c.version === 5 || connackReturnCode(reasonCode) !== undefined
  const properties = {
    ...reasonInWords(c, why)?.properties,
    ...(serverReference !== undefined && { serverReference }),
  }
  return {
    packet: {
      type: 'connack',
      sessionPresent: false,
      reasonCode: tellable ? reasonCode : reason.serverUnavailable,
      properties,
    },
    commit: noCommit,
    refuses: true,
    close: true,
  }
}

function refusalOf(reasonCode: number): ConnectionRefusal {
  switch (reasonCode) {
    case reason.notAuthorized:
    case reason.badUserNameOrPassword:
    case reason.badAuthenticationMethod:
      return 'not-authorized'
    case reason.serverUnavailable:
      return 'unavailable'
    default:
      return 'connect'
  }
}
