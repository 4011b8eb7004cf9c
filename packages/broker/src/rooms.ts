import { Accounts } from './accounts.js'
import { Changes } from './changes.js'
import { Commits } from './connection/commits.js'
import type { ConnectionParts } from './connection/connection-parts.js'
import { Door } from './connection/door.js'
import { EncodedOnce } from './connection/encoded-once.js'
import { Tracing } from './connection/tracing.js'
import { Turn } from './connection/turn.js'
import { Waiting } from './connection/waiting.js'
import { WriterPool } from './connection/writer-pool.js'
import { Drops } from './drops.js'
import { Faults } from './faults.js'
import { HookRunner } from './hooks/hook-runner.js'
import type { Metrics } from './metrics.js'
import type { CheckedOptions } from './options.js'
import { RetainedMessages } from './router/retained.js'
import { Router } from './router/router.js'
import { SharedGroups } from './router/shared-groups.js'
import { Registry } from './session/registry.js'
import { memoryAccounts } from './store/memory.js'
import type { MemoryAccounts } from './store/memory-queue.js'
import { BrokerTime } from './time/broker-time.js'
import { Chores } from './time/chores.js'
import { Slices } from './time/slices.js'
import { TimerWheel } from './time/timer-wheel.js'

/** What everything in a broker works with: time, long work, counts, and what is told when something goes wrong. */
export interface Basics {
  readonly options: CheckedOptions
  readonly metrics: Metrics
  readonly faults: Faults
  readonly drops: Drops
  readonly time: BrokerTime
  readonly wheel: TimerWheel
  readonly chores: Chores
  readonly slices: Slices
  readonly accounts: Accounts
  /** Of queues that are in memory. */
  readonly memory: MemoryAccounts
}

/** The rooms of one broker, joined. */
export interface Rooms extends Basics {
  readonly router: Router
  readonly registry: Registry
  readonly tracing: Tracing
  readonly commits: Commits
  readonly door: Door
  readonly connectionParts: ConnectionParts
}

/** Makes all that a broker consists of, low to high. */
export function makeRooms(options: CheckedOptions, metrics: Metrics): Rooms {
  const basics = makeBasics(options, metrics)
  const { limits, store, clock, willsAfterRestart } = options
  const { faults, wheel, drops } = basics
  const changes = new Changes(faults)
  const router = makeRouter(basics, changes)
  const registry = new Registry({ ...basics, limits, store, log: options.log, router, willsAfterRestart })
  const tracing = new Tracing(() => clock.now(), faults)
  const commits = new Commits(store, faults)
  const door = new Door({ limits, clock, wheel, metrics, drops })
  const hooks = new HookRunner(options.hooks, faults, changes)
  const connectionParts = makeConnectionParts({ ...basics, router, registry, tracing, commits, door }, hooks)
  return { ...basics, router, registry, tracing, commits, door, connectionParts }
}

function makeBasics(options: CheckedOptions, metrics: Metrics): Basics {
  const { limits, log, clock } = options
  const later = (ms: number, callback: () => void): void => void wheel.after(ms, callback)
  const faults = new Faults(metrics, log, later)
  const wheel = new TimerWheel(clock, faults)
  const time = new BrokerTime(clock)
  const chores = new Chores((error, owner) => faults.contain(error, owner, 'work in the background'))
  const slices = new Slices(faults)
  const accounts = new Accounts(limits)
  const memory = memoryAccounts(metrics, accounts, chores)
  const drops = new Drops(metrics, log, later)
  return { options, metrics, faults, drops, time, wheel, chores, slices, accounts, memory }
}

function makeRouter(basics: Basics, changes: Changes): Router {
  const { options, drops, faults, slices, accounts, memory, time } = basics
  const { limits, features, store } = options
  const { maxRetainedMessages, maxRetainedBytes, maxQueuedMessages, maxQueuedBytes } = limits
  const { stored } = accounts
  const retained = new RetainedMessages(maxRetainedMessages, maxRetainedBytes, stored, !store.isLasting)
  const groups = new SharedGroups({
    store,
    drops,
    faults,
    slices,
    maxQueuedMessages,
    maxQueuedBytes,
    memory,
    stored,
    handOverAtDisconnect: features.sharedHandOverAtDisconnect,
    now: () => time.expiryNow(),
  })
  return new Router({
    retained,
    groups,
    store,
    drops,
    changes,
    faults,
    slices,
    retainAvailable: features.retainAvailable,
  })
}

function makeConnectionParts(rooms: Omit<Rooms, 'connectionParts'>, hooks: HookRunner): ConnectionParts {
  const { options, metrics, faults, slices, accounts, tracing, time, drops, wheel } = rooms
  const { limits, features, store, log, clock, responseInformation } = options
  const now = (): number => time.now()
  return {
    services: {
      limits,
      features,
      hooks,
      router: rooms.router,
      registry: rooms.registry,
      store,
      metrics,
      drops,
      faults,
      slices,
      log,
      tracing,
      responseInformation,
      accounts,
      now,
      expiryNow: () => time.expiryNow(),
    },
    outbox: {
      turn: new Turn(faults),
      writers: new WriterPool(),
      encodedOnce: new EncodedOnce(),
      commits: rooms.commits,
      metrics,
      tracing,
      waiting: accounts.waiting,
      maxOutboxBytes: limits.maxOutboxBytes,
      now,
    },
    store,
    accounts,
    arriving: new Set(),
    waitingForRoom: new Set(),
    waiting: new Waiting(limits.maxUnauthenticatedBytes, drops),
    door: rooms.door,
    clock,
    wheel,
    log,
  }
}
