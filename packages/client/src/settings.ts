import { isTopicName, type PropertiesOf, type ProtocolVersion, type Will } from '@godwit/protocol'
import { socketOpener } from '#socket'
import type { BackoffSettings } from './backoff.js'
import type { Checks } from './checks.js'
import { type Clock, systemClock } from './clock.js'
import type { Credentials } from './credentials.js'
import type { Authentication } from './enhanced-auth.js'
import { InvalidArgumentError, invalidOption } from './errors.js'
import { ownProperties } from './given-properties.js'
import type { ConnectOptions, OfflineQueueOptions, WillOptions } from './options.js'
import { requirePayload } from './payload.js'
import type { Relaying } from './relayed-message.js'
import { type GivenServers, givenServers, type ServerAddress } from './server-address.js'
import type { OpenStream } from './socket.js'
import { type ClientStore, memoryStore } from './state/store.js'

/** The options, checked, with every default filled in. */
export interface Settings {
  readonly servers: readonly ServerAddress[]
  readonly version: ProtocolVersion
  readonly fallback: boolean
  readonly followRedirects: boolean
  readonly clientId: string
  readonly clean: boolean
  readonly sessionExpirySeconds: number
  readonly properties: PropertiesOf<'connect'> | undefined
  readonly authentication: Authentication | undefined
  readonly keepAliveSeconds: number
  readonly pingTimeoutMs: number
  readonly credentials: () => Credentials | Promise<Credentials>
  readonly will: Will | undefined
  readonly reconnect: BackoffSettings | undefined
  readonly connectTimeoutMs: number
  readonly warnAfterMs: number
  readonly attemptTimeoutMs: number
  readonly background: boolean
  readonly signal: AbortSignal | undefined
  readonly maxInflight: number | undefined
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  readonly topicAliases: boolean
  readonly requestResponseInformation: boolean
  readonly requestProblemInformation: boolean
  readonly offlineQueue: Required<OfflineQueueOptions>
  readonly maxBuffered: number
  readonly holdUnclaimedMs: number
  readonly maxPacketBytes: number
  readonly unref: boolean
  readonly store: ClientStore
  readonly openStream: OpenStream
  readonly clock: Clock
  readonly checks: Checks
  /** Undefined: it is no relay. */
  readonly relay: Relaying | undefined
}

/** The most that MQTT can express, fixed header included. */
export const largestPacketBytes = 268_435_460

/** Throws InvalidArgumentError for what can never work. */
export function resolveOptions(given: GivenServers, options: ConnectOptions, checks: Checks): Settings {
  checks.options('connect', 'connect', options)
  const servers = givenServers(given)
  const { unref = false } = options
  const clock = options.clock ?? systemClock(unref)
  return {
    servers,
    ...identityOf(options, clock),
    ...limitsOf(options),
    followRedirects: options.followRedirects ?? true,
    properties: ownProperties(options.properties),
    authentication: options.authentication,
    keepAliveSeconds: number('keepAliveSeconds', options.keepAliveSeconds, 60, 0, 65_535),
    pingTimeoutMs: number('pingTimeoutMs', options.pingTimeoutMs, 10_000, 1),
    will: options.will === undefined ? undefined : willOf(options.will),
    reconnect: options.reconnect === false ? undefined : backoffOf(options.reconnect ?? {}),
    connectTimeoutMs: number('connectTimeoutMs', options.connectTimeoutMs, 30_000, 0),
    warnAfterMs: number('warnAfterMs', options.warnAfterMs, 2000, 0),
    attemptTimeoutMs: number('attemptTimeoutMs', options.attemptTimeoutMs, 10_000, 1),
    background: options.background ?? false,
    signal: options.signal,
    requestResponseInformation: options.requestResponseInformation ?? false,
    requestProblemInformation: options.requestProblemInformation ?? true,
    unref,
    store: options.store ?? memoryStore(),
    openStream: openStreamOf(options, servers),
    clock,
    checks,
    relay: undefined,
  }
}

/** Who the client is, and how long its session lives. */
function identityOf(
  options: ConnectOptions,
  clock: Clock,
): Pick<Settings, 'version' | 'fallback' | 'clientId' | 'credentials' | 'clean' | 'sessionExpirySeconds'> {
  const { version = 5, fallback = true, authentication, username, password, clientId } = options
  const sessionExpirySeconds = expiryOf(options)
  const clean = options.clean ?? sessionExpirySeconds === 0
  // [MQTT-3.1.3-7]; and at 5.0 nobody could come back to a session under a made-up id that is kept for ever.
  const isLost = version < 5 ? (clientId ?? '') === '' : clientId === undefined && sessionExpirySeconds === Infinity
  if (!clean && isLost) throw invalidOption('a session that outlives its connection needs a clientId')
  if (authentication !== undefined && version < 5) {
    throw new InvalidArgumentError('unsupported-version', 'authentication needs MQTT 5.0')
  }
  return {
    version,
    // 3.1.1 has no such exchange, and who asks for one shall not be let in without.
    fallback: fallback && authentication === undefined,
    clientId: clientId ?? randomClientId(clock),
    credentials:
      options.credentials ??
      (() => ({ ...(username !== undefined && { username }), ...(password !== undefined && { password }) })),
    clean,
    sessionExpirySeconds,
  }
}

/** How much this side takes, keeps and sends. */
function limitsOf(
  options: ConnectOptions,
): Pick<
  Settings,
  | 'maxInflight'
  | 'receiveMaximum'
  | 'topicAliasMaximum'
  | 'topicAliases'
  | 'offlineQueue'
  | 'maxBuffered'
  | 'holdUnclaimedMs'
  | 'maxPacketBytes'
> {
  const { maxInflight, offlineQueue } = options
  return {
    maxInflight: maxInflight === undefined ? undefined : number('maxInflight', maxInflight, 0, 1, 65_535),
    receiveMaximum: number('receiveMaximum', options.receiveMaximum, 1000, 1, 65_535),
    topicAliasMaximum: number('topicAliasMaximum', options.topicAliasMaximum, 10, 0, 65_535),
    topicAliases: options.topicAliases ?? true,
    offlineQueue: {
      maxMessages: number('offlineQueue.maxMessages', offlineQueue?.maxMessages, 100_000, 0),
      maxBytes: number('offlineQueue.maxBytes', offlineQueue?.maxBytes, 67_108_864, 0),
      qos0: offlineQueue?.qos0 ?? 'drop',
    },
    maxBuffered: number('maxBuffered', options.maxBuffered, 10_000, 1),
    holdUnclaimedMs: number('holdUnclaimedMs', options.holdUnclaimedMs, 5000, 0),
    maxPacketBytes: number('maxPacketBytes', options.maxPacketBytes, largestPacketBytes, 2, largestPacketBytes),
  }
}

/** A WebSocket message may have at least so many bytes, however small a packet must be: it may hold many packets. */
const leastMessageBytes = 1_048_576

/** How streams are opened. What was asked for and would not be done is an error. */
function openStreamOf(options: ConnectOptions, servers: readonly ServerAddress[]): OpenStream {
  const { openStream, tls, headers, dial, version, maxPacketBytes = largestPacketBytes } = options
  if (openStream !== undefined) {
    if ((tls ?? headers ?? dial) === undefined) return openStream
    throw invalidOption(
      "'tls', 'headers' and 'dial' do not go with 'openStream', which opens the stream in its own way",
    )
  }
  return socketOpener({
    servers,
    tls,
    dial,
    headers,
    subprotocols: version === 3 ? ['mqtt', 'mqttv3.1'] : ['mqtt'],
    maxMessageBytes: Math.max(maxPacketBytes, leastMessageBytes),
  })
}

function backoffOf({
  initialMs,
  maxMs,
  stableMs,
}: Exclude<ConnectOptions['reconnect'], false | undefined>): BackoffSettings {
  return {
    initialMs: number('reconnect.initialMs', initialMs, 500, 1),
    maxMs: number('reconnect.maxMs', maxMs, 30_000, 1),
    stableMs: number('reconnect.stableMs', stableMs, 10_000, 0),
  }
}

function expiryOf({ sessionExpirySeconds, clean }: ConnectOptions): number {
  if (sessionExpirySeconds === undefined) return clean === false ? Infinity : 0
  if (sessionExpirySeconds === Infinity || sessionExpirySeconds === 0xffff_ffff) return Infinity
  return number('sessionExpirySeconds', sessionExpirySeconds, 0, 0, 0xffff_fffe)
}

function willOf({ topic, payload, qos = 0, retain = false, delaySeconds, properties }: WillOptions): Will {
  if (!isTopicName(topic)) throw new InvalidArgumentError('invalid-topic', `will: '${topic}' is not a topic name`)
  const willDelayInterval = number('will.delaySeconds', delaySeconds, 0, 0, 0xffff_ffff)
  return {
    topic,
    payload: requirePayload('connect', 'will.payload', payload).slice(),
    qos,
    retain,
    properties: { ...ownProperties<'will'>(properties), ...(willDelayInterval > 0 && { willDelayInterval }) },
  }
}

function number(name: string, value: number | undefined, fallback: number, least: number, most = Infinity): number {
  const given = value ?? fallback
  if (given >= least && given <= most && Number.isInteger(given)) return given
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  throw invalidOption(`${name} is ${given}: it must be a whole number ${range}`)
}

/** 22 letters and digits: what every server must take [MQTT-3.1.3-5]. */
function randomClientId(clock: Clock): string {
  const digits = Array.from({ length: 16 }, () => Math.floor(clock.random() * 36).toString(36))
  return `godwit${digits.join('')}`
}
