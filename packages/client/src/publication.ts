import { isTopicName, ProtocolError, type QoS } from '@godwit/protocol'
import type { PublishOptions, PublishProperties } from './client.js'
import { type AnyClientError, InvalidArgumentError, PublishError } from './errors.js'
import { isQos } from './qos.js'
import { publishBytes } from './server-limits.js'

/** A PUBLISH holds at most this many bytes of payload whatever its topic; beyond, the exact size decides. */
const safePayloadBytes = 268_435_455 - 65_535 - 4
const textEncoder = new TextEncoder()

/** What publish() was given, with its defaults. */
export interface Publication {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: PublishProperties | undefined
}

export function publicationOf(topic: string, content: string | Uint8Array, options: PublishOptions): Publication {
  const { qos = 0, retain = false, properties } = options
  return {
    topic,
    payload: typeof content === 'string' ? textEncoder.encode(content) : content,
    qos,
    retain,
    properties,
  }
}

/** Why no server could be sent this. */
export function publicationError(publication: Publication): AnyClientError | undefined {
  const { topic, payload, qos, properties } = publication
  const invalid = (what: string): AnyClientError =>
    new InvalidArgumentError('invalid-option', `publish to '${topic}': ${what}`)
  if (!isQos(qos)) return invalid(`qos is ${qos}, not 0, 1 or 2`)
  if (!ArrayBuffer.isView(payload)) return invalid('the payload is no string or Uint8Array')
  if (!isTopicName(topic)) {
    return new InvalidArgumentError('invalid-topic', `'${topic}' is not a topic name: no wildcards, 1 to 65,535 bytes`)
  }
  if (payload.length > safePayloadBytes) return tooLarge(publication)
  if (properties === undefined) return undefined
  // [MQTT-3.3.4-6]
  if ('topicAlias' in properties || 'subscriptionIdentifiers' in properties) {
    return invalid('topic aliases and subscription identifiers are not for applications to set')
  }
  try {
    publishBytes(publication)
    return undefined
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'packet-too-large' ? tooLarge(publication) : invalid(error.message)
  }
}

function tooLarge({ topic, payload }: Publication): PublishError {
  return new PublishError('packet-too-large', topic, `a payload of ${payload.length} bytes is more than MQTT can carry`)
}
