import { isTopicName, type PropertiesOf, type ProtocolVersion, type Will } from '@godwit/protocol'
import { socketOpener } from '#socket'
import type { BackoffSettings } from './backoff.js'
import type { Checks } from './checks.js'
import { type Clock, systemClock } from './clock.js'
import type { Credentials } from './credentials.js'
import type { Authentication, Authenticator } from './enhanced-auth.js'
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
  readonly authentication: Authenticator | undefined
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

/** What is not in every client, since a page may have to load it. */
export interface Parts {
  readonly checks: Checks
  /** Must be there for the option `authentication`. */
  readonly authenticator: ((given: Authentication) => Authenticator) | undefined
}

/** The most that MQTT can express, fixed header included. */
export const largestPacketBytes = 268_435_460

/** What a whole number is where it is not given, the least it may be and the most. */
type NumberRow = readonly [fallback: number, least: number, most?: number]
type Table = Readonly<Record<string, boolean | NumberRow>>

/** One row an option that says all by itself. */
const plainOptions = {
  followRedirects: true,
  keepAliveSeconds: [60, 0, 65_535],
  pingTimeoutMs: [10_000, 1],
  connectTimeoutMs: [30_000, 0],
  warnAfterMs: [2000, 0],
  attemptTimeoutMs: [10_000, 1],
  background: false,
  receiveMaximum: [1000, 1, 65_535],
  topicAliasMaximum: [10, 0, 65_535],
  topicAliases: true,
  requestResponseInformation: false,
  requestProblemInformation: true,
  maxBuffered: [10_000, 1],
  holdUnclaimedMs: [5000, 0],
  maxPacketBytes: [largestPacketBytes, 2, largestPacketBytes],
  unref: false,
} satisfies Table

const queueOptions = { maxMessages: [100_000, 0], maxBytes: [67_108_864, 0] } satisfies Table

const backoffOptions = { initialMs: [500, 1], maxMs: [30_000, 1], stableMs: [10_000, 0] } satisfies Table

/** Throws InvalidArgumentError for what can never work. */
export function resolveOptions(given: GivenServers, options: ConnectOptions, parts: Parts): Settings {
  const { checks } = parts
  checks.options('connect', 'connect', options)
  const servers = givenServers(given)
  const plain = filledIn(plainOptions, options)
  const clock = options.clock ?? systemClock(plain.unref)
  const { maxInflight } = options
  const offlineQueue = options.offlineQueue ?? {}
  const reconnect = options.reconnect ?? {}
  return {
    servers,
    ...plain,
    ...identityOf(options, clock),
    properties: ownProperties(options.properties),
    authentication: options.authentication && parts.authenticator?.(options.authentication),
    will: options.will && willOf(options.will),
    reconnect: reconnect === false ? undefined : filledIn(backoffOptions, reconnect, 'reconnect.'),
    signal: options.signal,
    maxInflight: maxInflight === undefined ? undefined : number('maxInflight', maxInflight, 0, 1, 65_535),
    offlineQueue: { ...filledIn(queueOptions, offlineQueue, 'offlineQueue.'), qos0: offlineQueue.qos0 ?? 'drop' },
    store: options.store ?? memoryStore(),
    openStream: openStreamOf(options, servers),
    clock,
    checks,
    relay: undefined,
  }
}

/** The options of a table, with what stands there where none is given. */
function filledIn<T extends Table>(
  table: T,
  given: { readonly [K in keyof T]?: boolean | number | undefined },
  prefix = '',
): { [K in keyof T]: T[K] extends boolean ? boolean : number } {
  const options = Object.entries(table).map(([name, row]) => {
    const option = given[name]
    return [name, typeof row === 'boolean' ? (option ?? row) : number(prefix + name, option as number, ...row)]
  })
  return Object.fromEntries(options)
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

/** A WebSocket message may have at least so many bytes, however small a packet must be: it may hold many packets. */
const leastMessageBytes = 1_048_576

/** How streams are opened. What was asked for and would not be done is an error. */
function openStreamOf(options: ConnectOptions, servers: readonly ServerAddress[]): OpenStream {
  const { openStream, version, maxPacketBytes = largestPacketBytes } = options
  if (openStream !== undefined) {
    if ((options.tls ?? options.headers ?? options.dial) === undefined) return openStream
    throw invalidOption(
      "'tls', 'headers' and 'dial' do not go with 'openStream', which opens the stream in its own way",
    )
  }
  return socketOpener({
    servers,
    tls: options.tls,
    dial: options.dial,
    headers: options.headers,
    subprotocols: version === 3 ? ['mqtt', 'mqttv3.1'] : ['mqtt'],
    maxMessageBytes: Math.max(maxPacketBytes, leastMessageBytes),
  })
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
