import {
  byteLength,
  type Connect,
  encode,
  isTopicFilter,
  ProtocolError,
  type QoS,
  type Subscribe,
} from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import { type Limits, neverExpires } from '../limits.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { PublishOptions } from '../router/local-message.js'
import type { InsideMessage } from './inside-message.js'

export interface InsideSessionOptions {
  /**
   * How long the session lives on when it is not open. Seconds; Infinity: for ever; 0: it ends with `close()`, and nothing of it
   * is stored. Default `limits.sessionExpirySeconds`; `limits.maxSessionExpirySeconds` at most.
   */
  readonly expirySeconds?: number
  /** True: what is left of an earlier session is thrown away. Default false: it goes on. */
  readonly clean?: boolean
  /**
   * Messages at QoS 1 and 2 that may be in memory or with the consumer, unacknowledged; the others wait in the store. 1 to 65,535,
   * default `limits.maxInflight`.
   */
  readonly maxInflight?: number
  /**
   * 'auto' (the default): a message is acknowledged when the loop that took it asks for the next one, or when the listener has
   * finished. 'manual': when `message.ack()` is called.
   */
  readonly ack?: 'auto' | 'manual'
  /**
   * For those who pass messages on by a handshake of their own. True: a message at QoS 2 that was noted with `session.receive()`
   * stays among `session.unfinished` until it is acknowledged, also after a restart. Default false: opening finishes it.
   */
  readonly twoSteps?: boolean
  /**
   * For those who pass messages on and know none of them by its number. True: a message at QoS 1 is given as it would be sent to a
   * client, before it is on disk; after a crash its number may be another one's. Default false.
   */
  readonly beforeKept?: boolean
  /**
   * For those who pass messages on between brokers. True: where several such sessions take a message on, each is given it with the
   * user property `godwit-mark`, and a message published with one that has been here is taken no second time. Default false: that
   * property is like any other.
   */
  readonly bridge?: boolean
  /**
   * The callback form. One message at a time, in order: the next one waits until a returned promise settles; whatever else it
   * returns means nothing. A listener that throws or rejects closes the session with its error and leaves that message
   * unacknowledged; `closed` rejects, and the log tells. Default: the session is iterated.
   */
  readonly onMessage?: (message: InsideMessage) => unknown
}

/** What is subscribed to, and how (section 3.8.3). */
export interface InsideSubscribeOptions {
  /** The highest QoS at which messages are wanted. Default 1. */
  readonly qos?: QoS
  /** Messages this session published itself are not wanted; not with `$share/…`. Default false. */
  readonly noLocal?: boolean
  /** `message.retain` is what the publisher said. Default false: it marks messages sent for a new subscription. */
  readonly retainAsPublished?: boolean
  /** Retained messages are wanted 0 = each time it subscribes (the default), 1 = only if there was no such subscription, 2 = never. */
  readonly retainHandling?: 0 | 1 | 2
  /** The Subscription Identifier: it comes with each message, in `identifiers`. 1 to 268,435,455; default: none. */
  readonly identifier?: number
}

export interface InsidePublishOptions extends PublishOptions {
  /**
   * QoS 2 only: the message is taken over once under this number, however often it is published under it, also after a restart,
   * until `release()`. For those who are given it by somebody who repeats it. 1 to 65,535; default: each call is a message.
   */
  readonly packetId?: number
  /**
   * What the message is, in short, for whoever is given again what he has finished with: kept under `packetId` in the commit of the message,
   * also after `release()`, until another message is published under it. Of packet ids that are given out in a row the last half is known.
   * With `packetId`, which then may be at QoS 1 too. 1 to 4,294,967,295; default: none.
   */
  readonly sum?: number
}

const sessionNames: NamesOf<InsideSessionOptions> = {
  expirySeconds: true,
  clean: true,
  maxInflight: true,
  ack: true,
  twoSteps: true,
  beforeKept: true,
  bridge: true,
  onMessage: true,
}
const subscribeNames: NamesOf<InsideSubscribeOptions> = {
  qos: true,
  noLocal: true,
  retainAsPublished: true,
  retainHandling: true,
  identifier: true,
}
const publishNames: NamesOf<InsidePublishOptions> = {
  qos: true,
  retain: true,
  properties: true,
  packetId: true,
  sum: true,
}
const mostIdentifier = 268_435_455
const elsewhere = { sessionExpirySeconds: 'expirySeconds', cleanStart: 'clean' }

/**
 * What the session asks for, as a client's CONNECT would.
 * @throws BrokerError `invalid-option`.
 */
export function connectOf(clientId: string, options: InsideSessionOptions, limits: Limits): Connect {
  checkNames(options, sessionNames, 'session', elsewhere)
  const { clean = false, maxInflight = limits.maxInflight, ack = 'auto', twoSteps = false } = options
  const { beforeKept = false, bridge = false, onMessage } = options
  const { expirySeconds = limits.sessionExpirySeconds } = options
  if (typeof clientId !== 'string' || clientId === '') throw wrong('clientId', clientId, 'a text that is not empty')
  if (byteLength(clientId) > limits.maxClientIdBytes) {
    throw new BrokerError('invalid-option', `client identifiers end at ${limits.maxClientIdBytes} bytes`)
  }
  if (typeof clean !== 'boolean') throw wrong('clean', clean, 'true or false')
  if (typeof twoSteps !== 'boolean') throw wrong('twoSteps', twoSteps, 'true or false')
  if (typeof beforeKept !== 'boolean') throw wrong('beforeKept', beforeKept, 'true or false')
  if (typeof bridge !== 'boolean') throw wrong('bridge', bridge, 'true or false')
  if (ack !== 'auto' && ack !== 'manual') throw wrong('ack', ack, "'auto' or 'manual'")
  if (onMessage !== undefined && typeof onMessage !== 'function') throw wrong('onMessage', onMessage, 'a function')
  if (!isWhole(maxInflight, 1, 65_535)) throw wrong('maxInflight', maxInflight, 'whole numbers from 1 to 65,535')
  const seconds = expirySeconds === Number.POSITIVE_INFINITY ? neverExpires : expirySeconds
  if (!isWhole(seconds, 0, neverExpires)) {
    throw wrong('expirySeconds', expirySeconds, `whole numbers from 0 to ${neverExpires}, or Infinity`)
  }
  const connect = {
    type: 'connect',
    version: 5,
    clientId,
    cleanStart: clean,
    keepAliveSeconds: 0,
    properties: { sessionExpiryInterval: seconds },
  } as const
  return encodable(connect, 'clientId')
}

/**
 * @throws BrokerError `invalid-topic` (section 4.7); `invalid-option`.
 */
export function subscribeOf(filter: string, options: InsideSubscribeOptions): Subscribe {
  checkNames(options, subscribeNames, 'subscribe')
  checkFilter(filter)
  const { qos = 1, identifier, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options
  checkQos(qos)
  if (identifier !== undefined && !isWhole(identifier, 1, mostIdentifier)) {
    throw wrong('identifier', identifier, 'whole numbers from 1 to 268,435,455')
  }
  const packet: Subscribe = {
    type: 'subscribe',
    packetId: 1,
    subscriptions: [{ filter, qos, noLocal, retainAsPublished, retainHandling }],
    ...(identifier !== undefined && { properties: { subscriptionIdentifiers: [identifier] } }),
  }
  return encodable(packet, 'subscribe')
}

/** @throws BrokerError `invalid-topic` (section 4.7). */
export function checkFilter(filter: string): void {
  if (typeof filter === 'string' && isTopicFilter(filter)) return
  throw new BrokerError('invalid-topic', `${JSON.stringify(filter)} is not a topic filter`)
}

/** @throws BrokerError `invalid-option`. */
export function checkPublish(options: InsidePublishOptions): void {
  checkNames(options, publishNames, 'publish')
  const { qos = 0, packetId, sum } = options
  checkQos(qos)
  if (sum !== undefined && packetId === undefined)
    throw new BrokerError('invalid-option', 'sum is kept under a packetId')
  if (packetId === undefined) return
  if (qos === 0 || (qos === 1 && sum === undefined)) {
    throw new BrokerError('invalid-option', 'packetId is for QoS 2 alone; with sum, for QoS 1 too')
  }
  checkPacketId(packetId)
  if (sum !== undefined && !isWhole(sum, 1, 4_294_967_295))
    throw wrong('sum', sum, 'whole numbers from 1 to 4,294,967,295')
}

/** @throws BrokerError `invalid-option`. */
export function checkPacketId(packetId: number): void {
  if (!isWhole(packetId, 1, 65_535)) throw wrong('packetId', packetId, 'whole numbers from 1 to 65,535')
}

function checkQos(qos: QoS): void {
  if (qos !== 0 && qos !== 1 && qos !== 2) throw wrong('qos', qos, '0, 1 or 2')
}

/** @throws BrokerError `invalid-option`, for what no packet could carry. */
function encodable<T extends Connect | Subscribe>(packet: T, what: string): T {
  try {
    encode(packet, 5)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new BrokerError('invalid-option', `${what}: ${error.message}`, { cause: error })
  }
  return packet
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

function wrong(name: string, value: unknown, takes: string): BrokerError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return new BrokerError('invalid-option', `${name} is ${shown}; it takes ${takes}`)
}
