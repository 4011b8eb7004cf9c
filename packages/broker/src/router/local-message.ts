import { encodePublishHead, type PropertiesOf, type QoS, Writer } from '@godwit/protocol'
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
  if (properties) encodePublishHead(new Writer(64), topic, 1, false, false, 1, properties, 0, 5) // throws for what is wrong
  const source = { topic, qos, retain, properties, bytes, payloadStart: 0, payloadEnd: bytes.length }
  return Message.kept(source, '', now)
}
