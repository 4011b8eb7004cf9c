import { hostname } from 'node:os'
import type { ConnectOptions } from '@godwit/client'
import { nearest } from '@godwit/protocol'
import type { BridgeOptions } from './bridge-options.js'
import { BridgeError } from './errors.js'

/** The client's options that are passed on as they are. */
const passedOn = [
  'attemptTimeoutMs',
  'authentication',
  'clock',
  'credentials',
  'dial',
  'fallback',
  'followRedirects',
  'headers',
  'keepAliveSeconds',
  'maxInflight',
  'maxPacketBytes',
  'openStream',
  'password',
  'pingTimeoutMs',
  'receiveMaximum',
  'reconnect',
  'tls',
  'topicAliasMaximum',
  'topicAliases',
  'username',
  'version',
] as const satisfies readonly (keyof BridgeOptions & keyof ConnectOptions)[]

const ownNames = [
  'bridgeProtocol',
  'clientId',
  'expirySeconds',
  'localClientId',
  'log',
  'name',
  'outgoingRetain',
  'properties',
  'state',
  'topics',
  'url',
] as const satisfies readonly (keyof BridgeOptions)[]

type Named = (typeof passedOn)[number] | (typeof ownNames)[number]
/** An option that no list has does not compile. */
const forgotten: Record<Exclude<keyof BridgeOptions, Named>, never> = {}
const names: readonly string[] = [...passedOn, ...ownNames, ...Object.keys(forgotten)]

/** @throws BridgeError for an option that does not exist, and for what is missing. */
export function checkOptions(options: BridgeOptions): void {
  const { name, topics } = options
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name)) {
    throw new BridgeError(String(name), 'name takes letters, digits, dots, hyphens and underscores')
  }
  for (const given of Object.keys(options)) {
    if (names.includes(given)) continue
    const meant = nearest(given, names)
    throw new BridgeError(name, `there is no option ${given}${meant === undefined ? '' : `; did you mean ${meant}?`}`)
  }
  if (!Array.isArray(topics) || topics.length === 0) {
    throw new BridgeError(name, 'topics is empty; give at least one, with filter and direction')
  }
}

/** What a bridge calls itself over there: like mosquitto's, so that many machines may have the same configuration. */
export function remoteClientId({ clientId, name }: BridgeOptions): string {
  return clientId ?? `${hostname()}.${name}`
}

export function localClientId({ localClientId, name }: BridgeOptions): string {
  return localClientId ?? `bridge/${name}`
}

/** What the client's connection is made with. */
export function clientOptions(
  options: BridgeOptions,
  own: Pick<ConnectOptions, 'store' | 'will'> & { readonly userProperties: readonly (readonly [string, string])[] },
): ConnectOptions {
  const { expirySeconds = Number.POSITIVE_INFINITY, properties } = options
  const { store, will, userProperties } = own
  const given = Object.fromEntries(passedOn.flatMap((name) => (name in options ? [[name, options[name]]] : [])))
  return {
    ...given,
    clientId: remoteClientId(options),
    sessionExpirySeconds: expirySeconds,
    clean: expirySeconds === 0,
    connectTimeoutMs: 0,
    holdUnclaimedMs: 0,
    // mosquitto sends more than was announced when a session is resumed: nothing is announced.
    receiveMaximum: options.receiveMaximum ?? 65_535,
    offlineQueue: { maxMessages: 100_000, maxBytes: Number.MAX_SAFE_INTEGER, qos0: 'queue' },
    properties: { userProperties: [...userProperties, ...(properties?.userProperties ?? [])] },
    ...(store && { store }),
    ...(will && { will }),
  }
}

/** Runs a task once, later; the function returned cancels it. */
export type Timer = (ms: number, task: () => void) => () => void

export function timerOf({ clock }: BridgeOptions): Timer {
  if (clock) return (ms, task) => clock.after(ms, task)
  return (ms, task) => {
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  }
}
