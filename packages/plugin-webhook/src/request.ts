import { isUtf8 } from 'node:buffer'
import { createHash, createHmac } from 'node:crypto'
import type { OutletMessage } from '@godwit/broker/plugin'
import { eventOf } from './events.js'

/** A request with what proves where it comes from. */
interface WebhookRequest {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * A batch as a request: JSON, signed as Standard Webhooks (https://www.standardwebhooks.com) says, with HMAC-SHA256 over id, time
 * and body.
 * @param eventsTopic on which the plugin publishes its events; others who do are not heard.
 * @param keys none: it is not signed.
 * @param now epoch ms.
 * @returns `undefined` when nothing is left to be sent.
 */
export function requestOf(
  messages: readonly OutletMessage[],
  eventsTopic: string,
  keys: readonly Buffer[],
  now: number,
): WebhookRequest | undefined {
  const entries = messages.flatMap((message) => {
    if (message.topic !== eventsTopic) return [entryOf(message)]
    const event = eventOf(message)
    return event ? [event] : []
  })
  if (entries.length === 0) return undefined
  const body = JSON.stringify({ messages: entries })
  const id = createHash('sha256')
    .update(messages.map((message) => message.id).join(' '))
    .digest('base64url')
  const timestamp = String(Math.floor(now / 1000))
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(keys.length > 0 && { 'webhook-signature': signatures(`${id}.${timestamp}.${body}`, keys) }),
    },
  }
}

/** One of each key, so that whoever knows one of them can look. */
function signatures(text: string, keys: readonly Buffer[]): string {
  return keys.map((key) => `v1,${createHmac('sha256', key).update(text).digest('base64')}`).join(' ')
}

function entryOf(message: OutletMessage): object {
  const { id, topic, payload, qos, retain, publisher, receivedAt, properties = {} } = message
  const isText = isUtf8(payload)
  const { correlationData, ...rest } = properties
  const carried = {
    ...rest,
    ...(correlationData && { correlationData: Buffer.from(correlationData).toString('base64') }),
  }
  return {
    type: 'message',
    id,
    topic,
    payload: payload.toString(isText ? 'utf8' : 'base64'),
    encoding: isText ? 'utf8' : 'base64',
    qos,
    retain,
    publisher,
    receivedAt: new Date(receivedAt).toISOString(),
    ...(Object.keys(carried).length > 0 && { properties: carried }),
  }
}
