import { type Features, featureNames } from './features.js'
import type { Limits } from './limits.js'
import { checkNames, type NamesOf } from './option-names.js'
import { type BrokerOptions, type CheckedOptions, checkOptions } from './options.js'

/** What of a broker can be changed while it runs; what is left out stays as it is. */
export interface Reconfiguration extends Partial<Features> {
  /** Those that change. Which of them hold at once, and which for new connections, `limitEffects` says. */
  readonly limits?: Partial<Limits>
  /** All that are asked and told from then on, in this order. */
  readonly hooks?: BrokerOptions['hooks']
  /** 0: the `$SYS` topics are no longer there. */
  readonly sysIntervalSeconds?: number
}

const names: NamesOf<Reconfiguration> = {
  limits: true,
  hooks: true,
  sysIntervalSeconds: true,
  ...featureNames,
}

const atStart = (name: string): string => `createBroker({ ${name} }): it is for a start`
const elsewhere: Readonly<Record<string, string>> = Object.fromEntries(
  ['store', 'log', 'clock', 'willsAfterRestart', 'responseInformation'].map((name) => [name, atStart(name)]),
)

/**
 * All options as they will be, checked as at the start.
 * @throws BrokerError `invalid-option`.
 */
export function checkReconfiguration(changes: Reconfiguration, now: CheckedOptions): CheckedOptions {
  checkNames(changes, names, 'reconfigure', elsewhere)
  const { features, hooks, store, log, clock, sysIntervalSeconds } = now
  const said = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  const before = { ...features, hooks, sysIntervalSeconds }
  return {
    ...now,
    ...checkOptions({ ...before, ...said, limits: { ...now.limits, ...changes.limits }, store }),
    log,
    clock,
  }
}
