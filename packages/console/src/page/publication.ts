import { call } from './api.js'
import { base64Of, bytesOfHex } from './bytes.js'
import { texts } from './texts.js'

/** A message as it is written in a form. */
export interface Draft {
  readonly topic: string
  readonly payload: string
  readonly form: 'text' | 'json' | 'hex'
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly contentType: string
  readonly responseTopic: string
  /** In hex. */
  readonly correlationData: string
  /** In seconds; empty: never. */
  readonly expiry: string
  readonly isUtf8: boolean
  /** A line each. */
  readonly userProperties: string
}

export const emptyDraft: Draft = {
  topic: '',
  payload: '',
  form: 'text',
  qos: 0,
  retain: false,
  contentType: '',
  responseTopic: '',
  correlationData: '',
  expiry: '',
  isUtf8: false,
  userProperties: '',
}

const words = texts.publish

/**
 * @param properties as the API takes them. Default: the draft's.
 * @throws Error in words for whoever has written it; Problem.
 */
export async function publish(draft: Draft, properties: object = propertiesOf(draft)): Promise<void> {
  const { topic, qos, retain } = draft
  await call('POST', '/publish', {
    body: { topic, ...payloadOf(draft), qos, retain, ...(Object.keys(properties).length > 0 && { properties }) },
  })
}

function payloadOf({ payload, form }: Draft): { readonly payload: string; readonly encoding: 'utf8' | 'base64' } {
  if (form === 'hex') return { payload: base64Of(bytesOf(payload)), encoding: 'base64' }
  if (form === 'json') {
    try {
      JSON.parse(payload)
    } catch (error) {
      throw new Error(words.badJson((error as Error).message))
    }
  }
  return { payload, encoding: 'utf8' }
}

function propertiesOf(draft: Draft): object {
  const { contentType, responseTopic, correlationData, expiry, isUtf8, userProperties } = draft
  const lines = userProperties.split('\n').filter((line) => line.trim() !== '')
  return {
    ...(contentType !== '' && { contentType }),
    ...(responseTopic !== '' && { responseTopic }),
    ...(correlationData !== '' && { correlationData: base64Of(bytesOf(correlationData)) }),
    ...(expiry !== '' && { messageExpiryInterval: Number(expiry) }),
    ...(isUtf8 && { payloadFormatIndicator: 1 }),
    ...(lines.length > 0 && { userProperties: lines.map(pairOf) }),
  }
}

function bytesOf(hex: string): Uint8Array {
  const bytes = bytesOfHex(hex)
  if (!bytes) throw new Error(words.badHex)
  return bytes
}

function pairOf(line: string): readonly [string, string] {
  const at = line.indexOf('=')
  if (at < 1) throw new Error(words.badProperty)
  return [line.slice(0, at).trim(), line.slice(at + 1).trim()]
}
