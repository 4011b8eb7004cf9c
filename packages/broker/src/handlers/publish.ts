import { type Publish, type ReceivedPublish, reason, topicLevels } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import { MqttError } from '../errors.js'
import { whenReady } from '../maybe-async.js'
import { Message } from '../message.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Answer, Context, Reply } from './context.js'

/**
 * PUBLISH from a client (section 3.3): allow, route, acknowledge. The order is the promise: the acknowledgement carries
 * the commit in which the message is kept for everybody it goes to.
 */
export function onPublish(c: Context, p: ReceivedPublish): Answer {
  const { services } = c
  services.metrics.publishReceived++
  services.metrics.publishBytesReceived += p.payloadEnd - p.payloadStart
  if (p.qos === 2 && c.session.received.has(p.packetId!)) return acknowledge(p, services.store.latest) // a repeat [MQTT-4.3.3-2]
  if (topicLevels(p.topic) > services.limits.maxTopicLevels) {
    throw new MqttError(reason.topicNameInvalid, `topic has more than ${services.limits.maxTopicLevels} levels`)
  }
  if (p.topic.charCodeAt(0) === dollar && isSystemTopic(p.topic)) {
    services.drops.report('system-topic', c.client.clientId)
    return acknowledge(p, hold(c, p))
  }
  const message = new Message(p, c.client.clientId)
  return services.hooks.watchesPublish ? askThenRoute(c, p, message) : route(c, p, message)
}

const dollar = 36

/** With hooks that look at messages: they decide, in order, before anybody gets it. */
function askThenRoute(c: Context, p: Publish, message: Message): Answer {
  const { hooks, drops } = c.services
  const { topic, qos, retain } = message
  message.keep() // hooks may hold it, and an asynchronous one outlives the turn
  const { client } = c
  return whenReady(hooks.authorize({ action: 'publish', client, topic, qos, retain }), (allowed) => {
    if (c.closed) return undefined // not taken over: the client sends it again, and only that one may count
    if (!allowed) {
      drops.report('not-authorized', client.clientId)
      return acknowledge(p, hold(c, p)) // as normal: 3.1.1 has no refusal [MQTT-3.3.5-2]
    }
    return whenReady(hooks.publish(message, client), (accepted) => {
      if (c.closed) return undefined
      if (!accepted) throw new MqttError(reason.implementationSpecificError, 'a hook failed to take the message')
      return route(c, p, message)
    })
  })
}

/** The message is taken over: for everybody who subscribed, and at QoS 2 with its id [MQTT-4.3.3-2]. */
function route(c: Context, p: Publish, message: Message): Reply | undefined {
  const held = hold(c, p)
  message.commit = held
  try {
    const routed = c.services.router.publish(message)
    return acknowledge(p, held > routed ? held : routed)
  } catch (error) {
    if (p.qos === 2) c.session.unhold(p.packetId!) // or its repeat would be answered and go nowhere
    throw error
  }
}

function hold(c: Context, p: Publish): Commit {
  return p.qos === 2 ? c.session.hold(p.packetId!) : 0
}

/** Nothing, PUBACK or PUBREC, as the QoS asks [MQTT-3.3.4-1]. */
function acknowledge(p: Publish, commit: Commit): Reply | undefined {
  if (p.qos === 0) return undefined
  return { packet: { type: p.qos === 1 ? 'puback' : 'pubrec', packetId: p.packetId! }, commit }
}
