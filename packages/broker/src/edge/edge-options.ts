import { BackOff, type BackOffOptions } from '../access/back-off.js'
import { BrokerError } from '../errors.js'
import { checkLimits, type Limits, limitNames } from '../limits.js'
import { type Logger, silentLogger, unfailing } from '../log.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { type Clock, systemClock } from '../time/clock.js'
import { checkNodeNames } from '../transport/node-names.js'

/** What a node shows to another, and whom it takes for one. Each of cert, key and ca is a PEM file's path, or PEM itself. */
export interface NodeTlsOptions {
  /** This node's certificate, followed by those between it and its CA. */
  readonly cert: string
  readonly key: string
  /** Of the key. Default: it has none. */
  readonly passphrase?: string
  /** Who signs the certificates of nodes. */
  readonly ca: string | readonly string[]
  /** Nodes that clients are passed on to: names in their certificates (a DNS name, or the Common Name). */
  readonly names: readonly string[]
}

export interface EdgeOptions {
  /**
   * Of these, those for who comes in: connections, their rate and overload, CONNECT and its time, bytes that wait. The same as those
   * of the broker that serves; what is left out has its default.
   */
  readonly limits?: Partial<Limits>
  /** Whether strings of a CONNECT may hold control characters, as the feature of the broker of that name says. Default false. */
  readonly controlCharacters?: boolean
  /** Whether the broker that serves asks who comes in: else only programs of this machine may, as at its own listeners. Default false. */
  readonly authenticates?: boolean
  /**
   * How addresses are made to wait whose clients keep being refused for who they are, before they are passed on at all; `false`:
   * never. Default as in an authentication chain.
   */
  readonly backOff?: BackOffOptions | false
  /** Milliseconds that a CONNECT waits for a node that serves, and at most until its connect timeout. Default 15,000; 0 = it does not wait. */
  readonly holdMs?: number
  /** Default: none, which only nodes on this machine take. */
  readonly tls?: NodeTlsOptions
  /** Default: nothing is logged. What it throws is passed over. */
  readonly log?: Logger
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

/** The options with every default filled in. */
export interface CheckedEdgeOptions extends Required<Omit<EdgeOptions, 'limits' | 'backOff' | 'tls'>> {
  readonly limits: Limits
  readonly backOff: BackOff | undefined
  readonly tls: NodeTlsOptions | undefined
}

const names: NamesOf<EdgeOptions> = {
  limits: true,
  controlCharacters: true,
  authenticates: true,
  backOff: true,
  holdMs: true,
  tls: true,
  log: true,
  clock: true,
}
const tlsNames: NamesOf<NodeTlsOptions> = { cert: true, key: true, passphrase: true, ca: true, names: true }

/**
 * Checks everything once, here.
 * @throws BrokerError `invalid-option`.
 */
export function checkEdgeOptions(given: EdgeOptions): CheckedEdgeOptions {
  checkNames(given, names, 'createEdge')
  checkNames(given.tls, tlsNames, 'createEdge.tls')
  const { controlCharacters = false, authenticates = false, backOff = {}, holdMs = 15_000, tls } = given
  const { clock = systemClock } = given
  if (!Number.isSafeInteger(holdMs) || holdMs < 0 || holdMs >= 2 ** 31) {
    throw new BrokerError('invalid-option', `holdMs is ${holdMs}; it takes a whole number from 0`)
  }
  if (tls && tls.names.length === 0) {
    throw new BrokerError('invalid-option', 'tls.names is empty; it takes the names in the certificates of nodes')
  }
  checkNodeNames(tls?.names ?? [], 'tls.names')
  return {
    limits: checkLimits(given.limits),
    controlCharacters,
    authenticates,
    backOff: backOff === false ? undefined : new BackOff(backOff, clock),
    holdMs,
    tls,
    log: given.log ? unfailing(given.log) : silentLogger,
    clock,
  }
}

/** What of an edge can be changed while it runs. */
export type EdgeReconfiguration = Pick<EdgeOptions, 'limits' | 'controlCharacters'>

const changing: NamesOf<EdgeReconfiguration> = { limits: true, controlCharacters: true }

/**
 * What changes, checked as at the start.
 * @param now limits that hold until then.
 * @throws BrokerError `invalid-option`.
 */
export function checkEdgeReconfiguration(
  changes: EdgeReconfiguration,
  now: Limits,
): { readonly limits: Limits; readonly features: { readonly controlCharacters?: boolean } } {
  checkNames(changes, changing, 'reconfigure')
  const { limits, controlCharacters } = changes
  checkNames(limits, limitNames, 'limits')
  return {
    limits: checkLimits({ ...now, ...limits }),
    features: controlCharacters === undefined ? {} : { controlCharacters },
  }
}
