import { Accounts } from './accounts.js'
import { type Counters, Drops } from './drops.js'
import { Faults } from './faults.js'
import type { Features } from './features.js'
import type { Limits } from './limits.js'
import type { Logger } from './log.js'
import type { Metrics } from './metrics.js'
import { Offer } from './offer.js'
import { memoryAccounts } from './store/memory.js'
import type { MemoryAccounts } from './store/memory-queue.js'
import type { Store } from './store/store.js'
import { BrokerTime } from './time/broker-time.js'
import { Chores } from './time/chores.js'
import type { Clock } from './time/clock.js'
import { Slices } from './time/slices.js'
import { TimerWheel } from './time/timer-wheel.js'

/** What a broker is given. Limits and features change in place when it is reconfigured: hold them, and no number out of them. */
export interface Given {
  readonly limits: Limits
  readonly features: Features
  readonly store: Store
  readonly log: Logger
  readonly clock: Clock
}

/** What everything in a broker works with: bounds, time, long work, counts, and what is told when something goes wrong. */
export interface Basics extends Given {
  readonly metrics: Metrics
  readonly faults: Faults
  readonly drops: Drops
  readonly time: BrokerTime
  readonly wheel: TimerWheel
  readonly chores: Chores
  readonly slices: Slices
  readonly accounts: Accounts
  /** What clients are told that come now. */
  readonly offer: Offer
  /** Of queues that are in memory. */
  readonly memory: MemoryAccounts
}

/** What a broker stands on, and whatever else takes connections. */
export type Ground = Pick<Basics, 'limits' | 'log' | 'clock' | 'metrics' | 'drops' | 'faults' | 'wheel' | 'chores'>

/** @param given drops that another tells of too. Default: its own. */
export function makeGround(
  { limits, log, clock }: Pick<Given, 'limits' | 'log' | 'clock'>,
  metrics: Metrics,
  given?: Drops,
): Ground {
  const later = (ms: number, callback: () => void): void => void wheel.after(ms, callback)
  const faults = new Faults(metrics, log, later)
  const wheel = new TimerWheel(clock, faults)
  const chores = new Chores((error, owner) => faults.contain(error, owner, 'work in the background'))
  const drops = given ?? new Drops(metrics, log, later)
  return { limits, log, clock, metrics, drops, faults, wheel, chores }
}

/** @param counters of an edge: what is counted goes on. Default: the drops are its own. */
export function makeBasics(given: Given, metrics: Metrics, counters?: Counters): Basics {
  const ground = makeGround(given, metrics, counters?.drops)
  const { limits, features, store, clock } = given
  const { faults, chores } = ground
  if (counters) metrics.beginAnew()
  const time = new BrokerTime(clock)
  const slices = new Slices(faults)
  const accounts = new Accounts(limits)
  const memory = memoryAccounts(metrics, accounts, chores)
  const offer = new Offer(limits, features)
  return { ...ground, features, store, time, slices, accounts, memory, offer }
}
