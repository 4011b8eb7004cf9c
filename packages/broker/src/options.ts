import type { QoS } from '@godwit/protocol'
import { BrokerError } from './errors.js'
import type { Hooks } from './hooks/hooks.js'
import { checkLimits, type Limits } from './limits.js'
import { type Logger, silentLogger } from './log.js'
import { memoryStore } from './store/memory.js'
import type { Store } from './store/store.js'
import { type Clock, systemClock } from './time/clock.js'

/** Parts of MQTT that can be switched off. */
export interface Features {
  /** Whether filters may have wildcards. Default true. Off: such filters are refused in SUBACK [MQTT-3.8.3-2]. */
  readonly wildcardSubscriptions: boolean
  /** Whether RETAIN 1 keeps messages. Default true. Off: they are delivered and not kept. */
  readonly retainAvailable: boolean
  /** Whether `$share/NAME/FILTER` shares a subscription, in every version. Default true. Off: refused in SUBACK. */
  readonly sharedSubscriptions: boolean
  /**
   * Whether what a member of a shared subscription has been sent at QoS 1 and not acknowledged goes to another as soon as
   * it disconnects. Default true. Off: it waits for that member while its session lives.
   */
  readonly sharedHandOverAtDisconnect: boolean
  /** The highest QoS granted to a subscription. Default 2. */
  readonly maximumQos: QoS
  /** Whether a client may leave its Client Identifier to the broker (with Clean Session 1). Default true. Off: return code 2. */
  readonly emptyClientIds: boolean
  /** Whether strings may hold control characters and Unicode non-characters; U+0000 never. Default false: the connection is closed. */
  readonly controlCharacters: boolean
}

export interface BrokerOptions extends Partial<Features> {
  /** Bounds; what is left out has its default. See {@link Limits}. */
  readonly limits?: Partial<Limits>
  /** Who may come in, who may do what, and who wants to know. Asked in this order. */
  readonly hooks?: readonly Hooks[]
  /** What survives the process. Default {@link memoryStore}: nothing. */
  readonly store?: Store
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** Seconds between updates of the `$SYS` topics; 0 = there are none. Default 10. */
  readonly sysIntervalSeconds?: number
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

/** The options with every default filled in. */
export interface CheckedOptions {
  readonly limits: Limits
  readonly features: Features
  readonly hooks: readonly Hooks[]
  readonly store: Store
  readonly log: Logger
  readonly sysIntervalSeconds: number
  readonly clock: Clock
}

/**
 * Checks everything once, here.
 * @throws BrokerError `invalid-option`.
 */
export function checkOptions(given: BrokerOptions): CheckedOptions {
  const { sysIntervalSeconds = 10, maximumQos = 2 } = given
  if (!Number.isSafeInteger(sysIntervalSeconds) || sysIntervalSeconds < 0 || sysIntervalSeconds > 86_400) {
    throw new BrokerError('invalid-option', `sysIntervalSeconds is ${sysIntervalSeconds}; it takes 0 to 86400`)
  }
  if (![0, 1, 2].includes(maximumQos)) {
    throw new BrokerError('invalid-option', `maximumQos is ${maximumQos}; it takes 0, 1 or 2`)
  }
  return {
    limits: checkLimits(given.limits),
    features: {
      wildcardSubscriptions: given.wildcardSubscriptions ?? true,
      retainAvailable: given.retainAvailable ?? true,
      sharedSubscriptions: given.sharedSubscriptions ?? true,
      sharedHandOverAtDisconnect: given.sharedHandOverAtDisconnect ?? true,
      maximumQos,
      emptyClientIds: given.emptyClientIds ?? true,
      controlCharacters: given.controlCharacters ?? false,
    },
    hooks: given.hooks ?? [],
    store: given.store ?? memoryStore(),
    log: given.log ?? silentLogger,
    sysIntervalSeconds,
    clock: given.clock ?? systemClock,
  }
}
