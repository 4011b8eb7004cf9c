import { encodePublishHead, encodeUtf8, type PropertiesOf, type QoS, Writer } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import { Message } from '../message.js'
import { checkNames, type NamesOf } from '../option-names.js'

/** The properties of a message that are its own, not a connection's (section 3.3.2.3). */
export type LocalProperties = Omit<PropertiesOf<'publish'>, 'topicAlias' | 'subscriptionIdentifiers'>

export interface PublishOptions {
  /** Default 0. */
  readonly qos?: QoS
  /** Default false. */
  readonly retain?: boolean
  /** For subscribers of 5.0 (section 3.3.2.3); the Message Expiry Interval holds for all. Default: none. */
  readonly properties?: LocalProperties
}

const names: NamesOf<PublishOptions> = { qos: true, retain: true, properties: true }

/**
 * A message published inside the process.
 * @throws BrokerError `invalid-option`.
 * @throws ProtocolError for properties that MQTT cannot carry.
 */
export function localMessage(topic: string, bytes: Uint8Array, options: PublishOptions, now: number): Message {
  checkNames(options, names, 'publish')
  const { qos = 0, retain = false, properties } = options
  checkProperties(topic, properties)
  const source = { topic, qos, retain, properties, bytes, payloadStart: 0, payloadEnd: bytes.length }
  return Message.kept(source, '', now)
}

/** @throws ProtocolError for properties that MQTT cannot carry. */
export function checkProperties(topic: string, properties: LocalProperties | undefined): void {
  if (properties) encodePublishHead(new Writer(64), topic, 1, false, false, 1, properties, 0, 5) // throws for what is wrong
}

/**
 * A payload as bytes of its own: what is published may be changed by its publisher afterwards.
 * @throws BrokerError `invalid-option`.
 */
export function ownBytes(payload: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof payload === 'string') return encodeUtf8(payload)
  if (ArrayBuffer.isView(payload)) {
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice()
  }
  if (Object.prototype.toString.call(payload) === '[object ArrayBuffer]') return new Uint8Array(payload).slice()
  throw new BrokerError(
    'invalid-option',
    `the payload is ${payload === null ? 'null' : `a ${typeof payload}`}; it takes a string or bytes`,
  )
}
