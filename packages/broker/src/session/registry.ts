import type { Will } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import { Delivery } from '../delivery/delivery.js'
import type { Drops } from '../drops.js'
import { type Limits, neverExpires } from '../limits.js'
import type { Logger } from '../log.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { Metrics } from '../metrics.js'
import type { Router } from '../router/router.js'
import { memoryStore } from '../store/memory.js'
import type { RecoveredSession, SessionStore, Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import { Session, type SessionUser } from './session.js'

/** What the registry works with; the broker joins them. */
export interface RegistryParts {
  readonly limits: Limits
  readonly router: Router
  readonly store: Store
  readonly metrics: Metrics
  readonly drops: Drops
  readonly log: Logger
  readonly clock: Clock
  readonly wheel: TimerWheel
}

export interface Opened {
  readonly session: Session
  /** Session Present: state of an earlier connection is there. */
  readonly present: boolean
  /** The commit that makes creation, resumption or deletion of stored state safe. */
  readonly commit: Commit
}

/** All sessions by Client Identifier [MQTT-3.1.3-2]: who uses one, which go on without a connection, and until when. */
export class Registry {
  readonly #parts: RegistryParts
  readonly #sessions = new Map<string, Session>()
  readonly #expiries = new Map<Session, WheelTimer>()
  /** Sessions that end with their connection are never stored. */
  readonly #volatile = memoryStore()

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Sessions without a connection. */
  get offline(): number {
    return this.#expiries.size
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  /** Gives the session of a Client Identifier to a new connection; an older connection is closed fully before. */
  open(clientId: string, clean: boolean, will: Will | undefined, user: SessionUser): MaybeAsync<Opened> {
    const known = this.#sessions.get(clientId)
    if (known?.user) {
      this.#parts.metrics.takeovers++
      return whenReady(known.user.takeOver(), () => this.open(clientId, clean, will, user))
    }
    if (known && !clean) return this.#resume(known, will, user)
    const ended = known ? this.#end(known) : 0
    const session = this.#create(clientId, !clean)
    session.user = user
    return {
      session,
      present: false,
      commit: Math.max(ended, session.stored.connected(), this.#keepWill(clientId, will)),
    }
  }

  /** The connection that used the session is gone. */
  closed(session: Session): Commit {
    const { limits, clock } = this.#parts
    session.user = undefined
    session.delivery.detach()
    if (!session.delivery.durable || limits.sessionExpirySeconds === 0) return this.#end(session)
    const never = limits.sessionExpirySeconds === neverExpires
    const expiresAt = never ? Number.POSITIVE_INFINITY : clock.now() + limits.sessionExpirySeconds * 1000
    this.#keepUntil(session, expiresAt)
    return session.stored.disconnected(expiresAt)
  }

  /** Takes up the sessions an earlier process left; one that was connected then counts as closed now. */
  recover(sessions: readonly RecoveredSession[]): void {
    for (const recovered of sessions) {
      const session = this.#add(recovered.clientId, recovered.stored, true)
      session.delivery.restore(recovered)
      session.restore(recovered)
      if (recovered.expiresAt === undefined) this.closed(session)
      else this.#keepUntil(session, recovered.expiresAt)
    }
  }

  #keepUntil(session: Session, expiresAt: number): void {
    const left = Math.max(0, expiresAt - this.#parts.clock.now())
    const timer =
      left === Number.POSITIVE_INFINITY ? { cancel() {} } : this.#parts.wheel.after(left, () => this.#expire(session))
    this.#expiries.set(session, timer)
  }

  #resume(session: Session, will: Will | undefined, user: SessionUser): Opened {
    this.#expiries.get(session)?.cancel()
    this.#expiries.delete(session)
    session.user = user
    return {
      session,
      present: true,
      commit: Math.max(session.stored.connected(), this.#keepWill(session.clientId, will)),
    }
  }

  #keepWill(clientId: string, will: Will | undefined): Commit {
    return will ? this.#parts.store.setWill(clientId, will) : 0
  }

  #create(clientId: string, durable: boolean): Session {
    return this.#add(clientId, (durable ? this.#parts.store : this.#volatile).session(clientId), durable)
  }

  #add(clientId: string, stored: SessionStore, durable: boolean): Session {
    const { limits, router, drops } = this.#parts
    const delivery = new Delivery({
      queue: stored.queue,
      durable,
      maxQueuedMessages: limits.maxQueuedMessages,
      maxQueuedBytes: limits.maxQueuedBytes,
      onDrop: (reason) => drops.report(reason, clientId),
    })
    const session = new Session(clientId, delivery, stored, router)
    this.#sessions.set(clientId, session)
    return session
  }

  #expire(session: Session): void {
    this.#parts.metrics.sessionsExpired++
    this.#parts.log.log('info', 'session expired', { clientId: session.clientId })
    this.#end(session)
  }

  #end(session: Session): Commit {
    this.#expiries.get(session)?.cancel()
    this.#expiries.delete(session)
    this.#sessions.delete(session.clientId)
    return session.end()
  }
}
