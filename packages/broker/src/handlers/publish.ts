import { isUtf8 } from 'node:buffer'
import { byteLength, type Publish, type ReceivedPublish, reason, topicLevels } from '@godwit/protocol'
import { bufferOver } from '../buffer-over.js'
import { type Commit, later, noCommit } from '../commit.js'
import { MqttError } from '../errors.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import { Message } from '../message.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Answer, Context, Reply } from './context.js'
import { reasonInWords } from './reason-string.js'

/**
 * PUBLISH from a client (section 3.3): allow, route, acknowledge. The order is the promise: the acknowledgement carries
 * the commit in which the message is kept for everybody it goes to.
 */
export function onPublish(c: Context, p: ReceivedPublish): Answer {
  const { services } = c
  services.metrics.publishReceivedByQos[p.qos]!++
  services.metrics.publishBytesReceivedByQos[p.qos]! += p.payloadEnd - p.payloadStart
  const topic = c.version === 5 ? c.topicOf(p) : p.topic
  if (services.tracing.isOn) services.tracing.received(c, p, topic)
  if (p.qos === 2 && c.session.hasReceived(p.packetId!)) {
    return acknowledge(p, services.store.latest, reason.success) // a repeat [MQTT-4.3.3-2]
  }
  if (p.qos > 0) c.receiving()
  checkAllowed(c, p, topic)
  if (services.features.publishBeyondRate === 'refuse' && !c.publishRate.allows(p.payloadEnd - p.payloadStart)) {
    return refuseRate(c, p, topic)
  }
  if (topic.charCodeAt(0) === dollar && isSystemTopic(topic)) return refuse(c, p, 'system-topic', topic)
  if (p.properties?.payloadFormatIndicator === 1 && isNotAsItSays(c, p)) return refuse(c, p, 'payload-format', topic)
  const message = new Message(p, c.client.clientId, p.properties || p.retain ? services.time.now() : 0, topic)
  if (c.isBridge) message.takeMark() // of others it is a user property like any
  if (isHere(c, message)) return acknowledgeRepeat(c, p)
  if ((services.store.isLow && needsStore(c, message)) || c.holdsPublications) return waitForRoom(c, p, message)
  return goOn(c, p, message)
}

/** Bridges have brought it by another way. */
function isHere(c: Context, { mark }: Message): boolean {
  return mark !== undefined && c.services.router.marks.has(mark)
}

function acknowledgeRepeat(c: Context, p: Publish): Reply | undefined {
  c.services.metrics.bridgedRepeats++
  return acknowledge(p, later(receive(c, p), c.services.store.latest), reason.success)
}

function goOn(c: Context, p: Publish, message: Message): Answer {
  return c.services.hooks.watchesPublish ? askThenRoute(c, p, message) : route(c, p, message)
}

/**
 * Somebody's session keeps it on disk, or it is retained; while the store is silent its acknowledgement would wait, whoever gets it. At
 * QoS 0 it is on its way all the same, and not kept.
 */
function needsStore(c: Context, message: Message): boolean {
  const { store, router } = c.services
  return message.qos > 0 && (store.isSilent || message.retain || router.isKept(message.topic))
}

/**
 * The disk is down to its reserve: in order, as much as one connection may have waiting; beyond that it is refused. While the store is
 * silent it is refused at once: those before it have waited for as long as anybody should.
 */
function waitForRoom(c: Context, p: Publish, message: Message): Answer {
  if (c.services.store.isSilent && p.qos > 0) return refuseToKeep(c, p, 'log-silent', message.topic)
  const whole = message.keep()
  const packet = { ...p, packetId: p.packetId } as Publish // what is left of it once its chunk is gone
  if (c.holdPublication(message.heldBytes, () => (c.closed ? undefined : goOn(c, packet, whole)))) return undefined
  return refuseToKeep(c, p, 'disk-reserve', message.topic)
}

/** Below 5.0 there is no refusal: the connection ends, and what was not acknowledged comes again. */
function refuseToKeep(c: Context, p: Publish, why: 'disk-reserve' | 'log-silent', topic: string): Reply | undefined {
  if (c.version === 5) return refuse(c, p, why, topic)
  c.services.drops.report(why, c.client.clientId, { address: c.peer.address, topic })
  throw new MqttError(refusals[why].reasonCode, refusals[why].why)
}

const dollar = 36
/** Bytes of UTF-8 that one UTF-16 unit of a text may take: a topic well below the limit need not be measured. */
const mostBytesOfUnit = 3

/** What no client may send here, whoever it is. */
function checkAllowed(c: Context, p: Publish, topic: string): void {
  const { limits } = c.services
  if (topic.length * mostBytesOfUnit > limits.maxTopicBytes && byteLength(topic) > limits.maxTopicBytes) {
    throw new MqttError(reason.topicNameInvalid, `topic has more than ${limits.maxTopicBytes} bytes`)
  }
  // It has one level more than separators: a short one need not be looked through.
  if (topic.length >= limits.maxTopicLevels && topicLevels(topic) > limits.maxTopicLevels) {
    throw new MqttError(reason.topicNameInvalid, `topic has more than ${limits.maxTopicLevels} levels`)
  }
  if (c.version < 5) return // cannot be told of it, so it need not keep to it
  if (p.qos > c.offered.maximumQos) throw new MqttError(reason.qosNotSupported, `QoS ${p.qos} is not supported here`)
  if (p.retain && !c.offered.retainAvailable) {
    throw new MqttError(reason.retainNotSupported, 'retained messages are not supported here')
  }
  if ((p.properties?.subscriptionIdentifiers?.length ?? 0) > 0) {
    throw new MqttError(reason.protocolError, 'a subscription identifier from a client') // [MQTT-3.3.4-6]
  }
}

/** With hooks that look at messages: they decide, in order, before anybody gets it. */
function askThenRoute(c: Context, p: Publish, message: Message): Answer {
  const { hooks } = c.services
  const { topic, qos, retain } = message
  message.keep() // hooks may hold it, and an asynchronous one outlives the turn
  const { client } = c
  return whenReady(hooks.authorize({ action: 'publish', client, topic, qos, retain }), (allowed) => {
    if (c.closed) return undefined // not taken over: the client sends it again, and only that one may count
    if (!allowed) return refuse(c, p, 'not-authorized', topic)
    return whenReady(shown(c, message), (accepted) => {
      if (c.closed) return undefined
      if (!accepted) throw new MqttError(reason.implementationSpecificError, 'a hook failed to take the message')
      return route(c, p, message)
    })
  })
}

/** Those who look at messages see it; false: one of them failed. */
function shown(c: Context, { topic, payload, qos, retain, publisher }: Message): MaybeAsync<boolean> {
  const { hooks } = c.services
  if (!hooks.seesMessages) return true
  return hooks.publish({ topic, payload: bufferOver(payload), qos, retain, publisher }, c.client)
}

/** A payload that says it is UTF-8 (section 3.3.2.3.2): looked at only where that is asked for. */
function isNotAsItSays(c: Context, p: Publish): boolean {
  return c.services.features.checkPayloadFormat && !isUtf8(p.payload)
}

/** There is a refusal for QoS 1 and 2 at 5.0; any other client has to be disconnected. */
function refuseRate(c: Context, p: Publish, topic: string): Reply | undefined {
  if (c.version === 5 && p.qos > 0) return refuse(c, p, 'publish-rate', topic)
  c.services.drops.report('publish-rate', c.client.clientId, { address: c.peer.address, topic })
  throw new MqttError(reason.messageRateTooHigh, refusals['publish-rate'].why)
}

const refusals = {
  'system-topic': { reasonCode: reason.notAuthorized, why: 'topics under $SYS are published by the server itself' },
  'not-authorized': { reasonCode: reason.notAuthorized, why: 'not authorized to publish to this topic' },
  'publish-rate': { reasonCode: reason.quotaExceeded, why: 'publishes faster than it may' },
  'disk-reserve': { reasonCode: reason.quotaExceeded, why: 'the server has no room to keep it' },
  'log-silent': { reasonCode: reason.quotaExceeded, why: 'the server cannot make it safe now; send it again later' },
  'payload-format': { reasonCode: reason.payloadFormatInvalid, why: 'the payload is not UTF-8, as it says' },
} as const

/**
 * The message goes nowhere, and is counted. At 5.0 its sender is told, if its QoS asks for an answer; 3.1.1 has no
 * refusal, so it is acknowledged as normal [MQTT-3.3.5-2].
 */
function refuse(c: Context, p: Publish, drop: keyof typeof refusals, topic: string): Reply | undefined {
  c.services.drops.report(drop, c.client.clientId, { address: c.peer.address, topic })
  if (c.version < 5) return acknowledge(p, receive(c, p), reason.success)
  if (p.qos === 0) return undefined
  const { reasonCode, why } = refusals[drop]
  const type = p.qos === 1 ? 'puback' : 'pubrec'
  const packet = { type, packetId: p.packetId!, reasonCode, ...reasonInWords(c, why) } as const
  return { packet, commit: noCommit, refuses: true }
}

/** The message is taken over: for everybody who subscribed, and at QoS 2 with its id [MQTT-4.3.3-2]. */
function route(c: Context, p: Publish, message: Message): Reply | undefined {
  if (isHere(c, message)) return acknowledgeRepeat(c, p) // it came while a hook was asked
  const { router } = c.services
  const received = receive(c, p)
  message.waitFor(received)
  try {
    const routed = router.publish(message)
    const nobody = c.version === 5 && router.subscriptions.match(message.topic).length === 0
    const reasonCode = nobody ? reason.noMatchingSubscribers : reason.success
    return acknowledge(p, later(received, routed), reasonCode)
  } catch (error) {
    if (p.qos === 2) c.session.release(p.packetId!) // or its repeat would be answered and go nowhere
    throw error
  }
}

function receive(c: Context, p: Publish): Commit {
  return p.qos === 2 ? c.session.receive(p.packetId!) : noCommit
}

/** Nothing, PUBACK or PUBREC, as the QoS asks [MQTT-3.3.4-1]. */
function acknowledge(p: Publish, commit: Commit, reasonCode: number): Reply | undefined {
  if (p.qos === 0) return undefined
  return { packet: { type: p.qos === 1 ? 'puback' : 'pubrec', packetId: p.packetId!, reasonCode }, commit }
}
