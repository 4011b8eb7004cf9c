import { Accounts } from './accounts.js'
import { Drops } from './drops.js'
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

export function makeBasics({ limits, features, store, log, clock }: Given, metrics: Metrics): Basics {
  const later = (ms: number, callback: () => void): void => void wheel.after(ms, callback)
  const faults = new Faults(metrics, log, later)
  const wheel = new TimerWheel(clock, faults)
  const time = new BrokerTime(clock)
  const chores = new Chores((error, owner) => faults.contain(error, owner, 'work in the background'))
  const slices = new Slices(faults)
  const accounts = new Accounts(limits)
  const memory = memoryAccounts(metrics, accounts, chores)
  const drops = new Drops(metrics, log, later)
  const offer = new Offer(limits, features)
  const given = { limits, features, store, log, clock, metrics }
  return { ...given, faults, drops, time, wheel, chores, slices, accounts, memory, offer }
}
