import { isTopicName, type PropertiesOf, ProtocolError, type QoS } from '@godwit/protocol'
import type { Checks } from './checks.js'
import type { PublishOptions } from './client.js'
import { type AnyClientError, InvalidArgumentError, invalidOption, PublishError } from './errors.js'
import { ownProperties } from './given-properties.js'
import { type Payload, requirePayload } from './payload.js'
import { publishBytes } from './server-limits.js'
import { kindOf } from './value-kind.js'

/** A PUBLISH holds at most this many bytes of payload whatever its topic; beyond, the exact size decides. */
const safePayloadBytes = 268_435_455 - 65_535 - 4

/** What publish() was given, with its defaults. */
export interface Publication {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: PropertiesOf<'publish'> | undefined
}

/**
 * Reads the arguments of publish().
 * @throws InvalidArgumentError, or PublishError 'packet-too-large', for what no server could be sent.
 */
export function publicationOf(
  topic: string,
  payload: Payload,
  options: PublishOptions | undefined,
  checks: Checks,
): Publication {
  if (typeof topic !== 'string') {
    throw new InvalidArgumentError('invalid-topic', `publish: the topic is ${kindOf(topic)}, not a string`)
  }
  if (!isTopicName(topic)) {
    throw new InvalidArgumentError('invalid-topic', `'${topic}' is not a topic name: no wildcards, 1 to 65,535 bytes`)
  }
  const call = `publish to '${topic}'`
  if (options !== undefined) checks.options('publish', call, options)
  const { qos = 0, retain = false, properties } = options ?? {}
  if (qos !== 0 && qos !== 1 && qos !== 2) throw invalidOption(`${call}: qos must be 0, 1 or 2`)
  const bytes = requirePayload(call, 'the payload', payload)
  const publication = { topic, payload: bytes, qos, retain, properties: ownProperties<'publish'>(properties) }
  const error = sizeError(publication)
  if (error !== undefined) throw error
  return publication
}

function sizeError(publication: Publication): AnyClientError | undefined {
  const { topic, payload, properties } = publication
  if (payload.length > safePayloadBytes) return tooLarge(publication)
  if (properties === undefined) return undefined
  try {
    publishBytes(publication)
    return undefined
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    if (error.code === 'packet-too-large') return tooLarge(publication)
    return invalidOption(`publish to '${topic}': ${error.message}`)
  }
}

function tooLarge({ topic, payload }: Publication): PublishError {
  return new PublishError('packet-too-large', topic, `a payload of ${payload.length} bytes is more than MQTT can carry`)
}
