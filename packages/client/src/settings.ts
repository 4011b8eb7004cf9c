import { isTopicName, type ProtocolVersion, type Will } from '@godwit/protocol'
import { openSocket } from '#socket'
import type { BackoffSettings } from './backoff.js'
import { type Clock, systemClock } from './clock.js'
import type { Credentials } from './credentials.js'
import { InvalidArgumentError } from './errors.js'
import type { ConnectOptions, OfflineQueueOptions, WillOptions } from './options.js'
import { parseServerUrl, type ServerAddress } from './server-address.js'
import type { OpenStream } from './socket.js'
import { type ClientStore, memoryStore } from './state/store.js'

/** The options, checked, with every default filled in. */
export interface Settings {
  readonly servers: readonly ServerAddress[]
  readonly version: ProtocolVersion
  readonly clientId: string
  readonly clean: boolean
  readonly keepAliveSeconds: number
  readonly pingTimeoutMs: number
  readonly credentials: () => Credentials | Promise<Credentials>
  readonly will: Will | undefined
  readonly reconnect: BackoffSettings | undefined
  readonly connectTimeoutMs: number
  readonly attemptTimeoutMs: number
  readonly background: boolean
  readonly signal: AbortSignal | undefined
  readonly maxInflight: number
  readonly offlineQueue: Required<OfflineQueueOptions>
  readonly maxBuffered: number
  readonly holdUnclaimedMs: number
  readonly maxPacketBytes: number
  readonly unref: boolean
  readonly store: ClientStore
  readonly openStream: OpenStream
  readonly clock: Clock
}

const largestPacketBytes = 268_435_460

/** Throws InvalidArgumentError for what can never work. */
export function resolveOptions(url: string | readonly string[], options: ConnectOptions): Settings {
  const servers = (typeof url === 'string' ? [url] : url).map(parseServerUrl)
  if (servers.length === 0) throw invalid('no server URL was given')
  const { unref = false, version = 4, sessionExpirySeconds = 0 } = options
  if (version === 5) {
    throw new InvalidArgumentError('unsupported-version', 'MQTT 5.0 is not supported yet: use version 4 (MQTT 3.1.1)')
  }
  const clock = options.clock ?? systemClock(unref)
  const clean = options.clean ?? sessionExpirySeconds === 0
  if (!clean && (options.clientId ?? '') === '') {
    throw invalid('a session that outlives its connection needs a clientId') // [MQTT-3.1.3-7]
  }
  const { username, password } = options
  return {
    servers,
    version,
    clientId: options.clientId ?? randomClientId(clock),
    clean,
    keepAliveSeconds: number('keepAliveSeconds', options.keepAliveSeconds, 60, 0, 65_535),
    pingTimeoutMs: number('pingTimeoutMs', options.pingTimeoutMs, 10_000, 1),
    credentials:
      options.credentials ??
      (() => ({ ...(username !== undefined && { username }), ...(password !== undefined && { password }) })),
    will: options.will === undefined ? undefined : willOf(options.will),
    reconnect: options.reconnect === false ? undefined : backoffOf(options.reconnect ?? {}),
    connectTimeoutMs: number('connectTimeoutMs', options.connectTimeoutMs, 30_000, 0),
    attemptTimeoutMs: number('attemptTimeoutMs', options.attemptTimeoutMs, 10_000, 1),
    background: options.background ?? false,
    signal: options.signal,
    maxInflight: number('maxInflight', options.maxInflight, 20, 1, 65_535),
    offlineQueue: {
      maxMessages: number('offlineQueue.maxMessages', options.offlineQueue?.maxMessages, 100_000, 0),
      maxBytes: number('offlineQueue.maxBytes', options.offlineQueue?.maxBytes, 67_108_864, 0),
      qos0: options.offlineQueue?.qos0 ?? 'drop',
    },
    maxBuffered: number('maxBuffered', options.maxBuffered, 10_000, 1),
    holdUnclaimedMs: number('holdUnclaimedMs', options.holdUnclaimedMs, 5000, 0),
    maxPacketBytes: number('maxPacketBytes', options.maxPacketBytes, largestPacketBytes, 2, largestPacketBytes),
    unref,
    store: options.store ?? memoryStore(),
    openStream: options.openStream ?? openSocket,
    clock,
  }
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

function willOf({ topic, payload, qos = 0, retain = false }: WillOptions): Will {
  if (!isTopicName(topic)) throw new InvalidArgumentError('invalid-topic', `will: '${topic}' is not a topic name`)
  return { topic, payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload, qos, retain }
}

function number(name: string, value: number | undefined, fallback: number, least: number, most = Infinity): number {
  const given = value ?? fallback
  if (given >= least && given <= most && Number.isInteger(given)) return given
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`
  throw invalid(`${name} is ${given}: it must be a whole number ${range}`)
}

function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError('invalid-option', message)
}

/** 22 letters and digits: what every server must take [MQTT-3.1.3-5]. */
function randomClientId(clock: Clock): string {
  const digits = Array.from({ length: 16 }, () => Math.floor(clock.random() * 36).toString(36))
  return `godwit${digits.join('')}`
}
