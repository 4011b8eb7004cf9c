import { randomBytes } from 'node:crypto'
import { type Basics, makeBasics } from './basics.js'
import { Batches } from './batches.js'
import { Changes } from './changes.js'
import { AheadCopy } from './connection/ahead-copy.js'
import { Commits } from './connection/commits.js'
import type { ConnectionParts } from './connection/connection.js'
import { Door } from './connection/door.js'
import { WaitingForRoom } from './connection/held-publications.js'
import { publishRates } from './connection/intake.js'
import { type OutboxParts, WriterPool } from './connection/outbox.js'
import { PartialPackets } from './connection/partial-packets.js'
import { UnauthenticatedBytes } from './connection/probation.js'
import { EncodedOnce } from './connection/publish-encoder.js'
import { Tracing } from './connection/tracing.js'
import { Turn } from './connection/turn.js'
import type { Services } from './handlers/context.js'
import { HookRunner } from './hooks/hook-runner.js'
import type { InsideParts } from './inside/inside-parts.js'
import type { Metrics } from './metrics.js'
import type { CheckedOptions } from './options.js'
import { RetainedMessages } from './router/retained.js'
import { Router } from './router/router.js'
import { SharedGroups } from './router/shared-groups.js'
import { Registry } from './session/registry.js'

/** The rooms of one broker, joined. */
export interface Rooms extends Basics {
  readonly hooks: HookRunner
  readonly options: CheckedOptions
  readonly batches: Batches
  readonly router: Router
  readonly registry: Registry
  readonly tracing: Tracing
  readonly commits: Commits
  readonly door: Door
  readonly waitingForRoom: WaitingForRoom
  readonly connectionParts: ConnectionParts
  readonly inside: InsideParts
}

/** Makes all that a broker consists of, low to high. */
export function makeRooms(options: CheckedOptions, metrics: Metrics): Rooms {
  const basics = makeBasics(options, metrics, options.counters)
  const { limits, store, faults, drops, time, wheel, clock, log, accounts } = basics
  const batches = new Batches(faults)
  const changes = new Changes(batches)
  const retained = new RetainedMessages(limits, accounts.stored, !store.isLasting)
  const router = new Router({ ...basics, retained, groups: new SharedGroups(basics), changes })
  const { willsAfterRestart, graceAfterRestartSeconds } = options
  const graceMs = graceAfterRestartSeconds * 1000
  const registry = new Registry({ ...basics, router, willsAfterRestart, graceMs })
  const tracing = new Tracing(() => clock.now(), batches)
  const commits = new Commits(store, faults)
  const door = new Door(basics)
  const hooks = new HookRunner(options.hooks, faults, changes)
  const { responseInformation } = options
  const services: Services = {
    ...basics,
    hooks,
    router,
    registry,
    tracing,
    responseInformation,
    brokerId: randomBytes(6).toString('base64url'),
  }
  const outbox: OutboxParts = {
    limits,
    metrics,
    commits,
    tracing,
    turn: new Turn(faults, clock),
    writers: new WriterPool(),
    encodedOnce: new EncodedOnce(),
    copies: new AheadCopy(),
    waiting: accounts.waiting,
    time,
  }
  const waitingForRoom = new WaitingForRoom(basics)
  const connectionParts: ConnectionParts = {
    services,
    outbox,
    tracing,
    store,
    accounts,
    door,
    clock,
    wheel,
    log,
    arriving: new Set(),
    waitingForRoom,
    unauthenticated: new UnauthenticatedBytes(limits, drops),
    publishRates: publishRates(limits),
    partialPackets: new PartialPackets(accounts.waiting, wheel),
  }
  const shared = { tracing, commits, waitingForRoom }
  const inside = { ...basics, ...shared, services: { ...services, hooks: new HookRunner([], faults, changes) } }
  return { ...basics, ...shared, options, batches, hooks, router, registry, door, connectionParts, inside }
}
