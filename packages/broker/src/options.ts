import type { Counters } from './drops.js'
import { BrokerError } from './errors.js'
import { type Features, featureNames } from './features.js'
import type { ClientInfo } from './hooks/client-info.js'
import { checkHooks, hookFunctions } from './hooks/hook-names.js'
import type { Hooks } from './hooks/hooks.js'
import { checkLimits, type Limits, limitNames } from './limits.js'
import { type Logger, silentLogger, unfailing } from './log.js'
import { checkNames, type NamesOf } from './option-names.js'
import { memoryForStore, memoryStore } from './store/memory.js'
import type { Store } from './store/store.js'
import { type Clock, systemClock } from './time/clock.js'

export interface BrokerOptions extends Partial<Features> {
  /** Bounds; what is left out has its default. See {@link Limits}. */
  readonly limits?: Partial<Limits>
  /** Who may come in, who may do what, and who wants to know. Asked in this order. */
  readonly hooks?: readonly Hooks[]
  /** What survives the process. Default {@link memoryStore}: nothing. */
  readonly store?: Store
  /** Default: nothing is logged. What it throws is passed over. */
  readonly log?: Logger
  /**
   * What a client of 5.0 that asks for Response Information is told: the beginning of the topics its responses shall
   * come on. Ask it to be let in there by `authorize`. Default, and when it answers `undefined`: nothing.
   */
  readonly responseInformation?: (client: ClientInfo) => string | undefined
  /**
   * What becomes of the wills an earlier process left in the store, those whose connections its end cut off included.
   * Default `publish`: at once or after their delay, unless the session is resumed before. `drop`: never, and counted.
   */
  readonly willsAfterRestart?: 'publish' | 'drop'
  /**
   * Seconds for which wills and the ends of sessions that are due at the start, or fall due soon after, wait for their client. Who
   * comes back in time has its session, and its old will is not published. Default 0: nothing waits.
   */
  readonly graceAfterRestartSeconds?: number
  /** Seconds between updates of the `$SYS` topics; 0 = there are none. Default 10. */
  readonly sysIntervalSeconds?: number
  /**
   * Tells more under `$SYS/broker/`, by the rest of the topic, as `{ 'cluster/epoch': 3 }`: asked at each update. What it names no more
   * is removed. Default: nothing.
   */
  readonly sysTopics?: () => Readonly<Record<string, string | number>>
  /** Those of an {@link Edge}, `edge.counters`: they go on whichever node serves. Default: the broker's own, from 0. */
  readonly counters?: Counters
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

/** The options with every default filled in. */
export interface CheckedOptions
  extends Required<Omit<BrokerOptions, keyof Features | 'limits' | 'responseInformation' | 'counters'>> {
  readonly limits: Limits
  readonly features: Features
  readonly responseInformation: BrokerOptions['responseInformation']
  readonly counters: Counters | undefined
}

const names: NamesOf<BrokerOptions> = {
  limits: true,
  hooks: true,
  store: true,
  log: true,
  responseInformation: true,
  willsAfterRestart: true,
  graceAfterRestartSeconds: true,
  sysIntervalSeconds: true,
  sysTopics: true,
  counters: true,
  clock: true,
  ...featureNames,
}

const inHooks = (name: string): string => `hooks: [{ ${name} }]`
const inLimits = (name: keyof Limits): string => `limits: { ${name} }`
const inListen = (name: string): string => `broker.listen({ ${name} })`

/** Options that stand at another place here, and those of aedes and mosca. */
const elsewhere: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(limitNames).map((name) => [name, inLimits(name as keyof Limits)])),
  ...Object.fromEntries([...hookFunctions, 'authenticationMethods'].map((name) => [name, inHooks(name)])),
  preConnect: inHooks('authenticate'),
  authorizePublish: inHooks('authorize'),
  authorizeSubscribe: inHooks('authorize'),
  authorizeForward: inHooks('authorizeDelivery'),
  published: inHooks('onPublish'),
  persistence: 'store, such as lmdbStore({ directory })',
  backend: 'store, such as lmdbStore({ directory })',
  mq: 'nothing: one process is the broker',
  id: 'nothing: the broker has no id',
  logger: 'log',
  features: 'each of them by itself, such as { mqtt31: true }',
  heartbeatInterval: 'sysIntervalSeconds',
  concurrency: 'nothing: a slow client holds up nobody else',
  drainTimeout: inLimits('drainTimeoutMs'),
  queueLimit: inLimits('maxUnauthenticatedBytes'),
  connectTimeout: inLimits('connectTimeoutMs'),
  keepaliveLimit: inLimits('maxKeepAliveSeconds'),
  maxClientsIdLength: inLimits('maxClientIdBytes'),
  maxInflightMessages: inLimits('maxInflight'),
  maxInflightInbound: inLimits('receiveMaximum'),
  trustProxy: inListen('proxyProtocol'),
  trustedProxies: inListen('proxyProtocol'),
  host: inListen('host'),
  port: inListen('port'),
  http: inListen('websocket'),
  websocket: inListen('websocket'),
  tls: inListen('tls'),
  secure: inListen('tls'),
  allowAnonymous: inListen('allowAnonymous'),
}

/**
 * Checks everything once, here.
 * @throws BrokerError `invalid-option`.
 */
export function checkOptions(given: BrokerOptions): CheckedOptions {
  checkNames(given, names, 'createBroker', elsewhere)
  checkHooks(given.hooks)
  const { sysIntervalSeconds = 10, maximumQos = 2, willsAfterRestart = 'publish', publishBeyondRate = 'slow' } = given
  const { graceAfterRestartSeconds = 0, bridgeUsers = [] } = given
  if (!Number.isSafeInteger(sysIntervalSeconds) || sysIntervalSeconds < 0 || sysIntervalSeconds > 86_400) {
    throw invalid(`sysIntervalSeconds is ${sysIntervalSeconds}; it takes 0 to 86400`)
  }
  if (!(graceAfterRestartSeconds >= 0 && graceAfterRestartSeconds <= 86_400)) {
    throw invalid(`graceAfterRestartSeconds is ${graceAfterRestartSeconds}; it takes 0 to 86400`)
  }
  if (![0, 1, 2].includes(maximumQos)) throw invalid(`maximumQos is ${maximumQos}; it takes 0, 1 or 2`)
  if (!Array.isArray(bridgeUsers) || !bridgeUsers.every((user) => typeof user === 'string')) {
    throw invalid('bridgeUsers takes a list of user names')
  }
  if (willsAfterRestart !== 'publish' && willsAfterRestart !== 'drop') {
    throw invalid(`willsAfterRestart is ${willsAfterRestart}; it takes publish or drop`)
  }
  if (publishBeyondRate !== 'slow' && publishBeyondRate !== 'refuse') {
    throw invalid(`publishBeyondRate is ${publishBeyondRate}; it takes slow or refuse`)
  }
  const store = given.store ?? memoryStore()
  return {
    limits: limitsFor(store, given.limits),
    features: { ...featuresOf(given), maximumQos, publishBeyondRate },
    hooks: given.hooks ?? [],
    store,
    log: given.log ? unfailing(given.log) : silentLogger,
    responseInformation: given.responseInformation,
    willsAfterRestart,
    graceAfterRestartSeconds,
    sysIntervalSeconds,
    sysTopics: given.sysTopics ?? (() => ({})),
    counters: given.counters,
    clock: given.clock ?? systemClock,
  }
}

const invalid = (message: string): BrokerError => new BrokerError('invalid-option', message)

/** A store in memory may keep no more than a part of the machine's, unless somebody says how much. */
function limitsFor(store: Store, given: Partial<Limits> | undefined): Limits {
  const limits = checkLimits(given)
  if (store.isLasting || given?.maxStoredBytes !== undefined) return limits
  return { ...limits, maxStoredBytes: Math.min(limits.maxStoredBytes, memoryForStore()) }
}

function featuresOf(given: Partial<Features>): Omit<Features, 'maximumQos' | 'publishBeyondRate'> {
  return {
    mqtt31: given.mqtt31 ?? false,
    bridgeProtocol: given.bridgeProtocol ?? true,
    bridgeUsers: given.bridgeUsers ?? [],
    wildcardSubscriptions: given.wildcardSubscriptions ?? true,
    retainAvailable: given.retainAvailable ?? true,
    sharedSubscriptions: given.sharedSubscriptions ?? true,
    subscriptionIdentifiers: given.subscriptionIdentifiers ?? true,
    sharedHandOverAtDisconnect: given.sharedHandOverAtDisconnect ?? true,
    emptyClientIds: given.emptyClientIds ?? true,
    controlCharacters: given.controlCharacters ?? false,
    checkPayloadFormat: given.checkPayloadFormat ?? false,
  }
}
