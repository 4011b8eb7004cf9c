import type { PropertiesOf } from '@godwit/protocol'
import type { PrintedMessage } from './printed-message.js'
import { nanoseconds, strftime } from './strftime.js'

/** A message as one JSON object, as mosquitto_sub writes it; the payload is the text of a JSON value. */
export function messageJson(message: PrintedMessage, milliseconds: number, payload: string): string {
  const time = new Date(milliseconds)
  const micros = nanoseconds(milliseconds).slice(0, 6)
  const { topic, qos, retain, packetId } = message
  return object([
    ['tst', `${strftime('%Y-%m-%dT%H:%M:%S', time)}.${micros}${strftime('%z', time)}`],
    ['topic', topic],
    ['qos', qos],
    ['retain', retain ? 1 : 0],
    ['payloadlen', message.payload.length],
    ['mid', qos > 0 ? packetId : undefined],
    ['properties', propertiesJson(message.properties)],
    ['payload', new Json(payload)],
  ])
}

/** The payload as a JSON string. */
export function quotedPayload(payload: Uint8Array): string {
  return payload.length === 0 ? 'null' : JSON.stringify(textOf(payload))
}

/** The payload as it is, if it is JSON: numbers keep their digits. Line ends can only stand between tokens there. */
export function embeddedPayload(payload: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(payload)
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  return text.trim().replace(/[\r\n]+/g, ' ')
}

/**
 * What the publisher said; undefined when it said nothing. Subscription Identifier and Topic Alias are the client's own
 * affair. A user property repeated is a member repeated: an object would keep the last.
 */
function propertiesJson(properties: PropertiesOf<'publish'> = {}): Json | undefined {
  const { correlationData, userProperties = [] } = properties
  const members: Member[] = [
    ['payload-format-indicator', properties.payloadFormatIndicator],
    ['message-expiry-interval', properties.messageExpiryInterval],
    ['content-type', properties.contentType],
    ['response-topic', properties.responseTopic],
    ['correlation-data', correlationData && textOf(correlationData)],
    ['user-properties', userProperties.length > 0 ? new Json(object(userProperties)) : undefined],
  ]
  return members.some(([, value]) => value !== undefined) ? new Json(object(members)) : undefined
}

type Member = readonly [name: string, value: string | number | Json | undefined]

/** Text that is JSON already. */
class Json {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

function object(members: readonly Member[]): string {
  const given = members.filter(([, value]) => value !== undefined)
  const texts = given.map(
    ([name, value]) => `${JSON.stringify(name)}:${value instanceof Json ? value.text : JSON.stringify(value)}`,
  )
  return `{${texts.join(',')}}`
}

/** Bytes that are not UTF-8 become U+FFFD. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
