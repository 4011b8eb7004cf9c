import { reason, type Will } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import { type Commit, later, noCommit } from '../commit.js'
import { Delivery } from '../delivery/delivery.js'
import { neverExpires } from '../limits.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { Router } from '../router/router.js'
import { SortedNames } from '../sorted-names.js'
import { MemorySessionStore } from '../store/memory.js'
import type { Recovered, SessionStore } from '../store/store.js'
import type { Chore } from '../time/chores.js'
import type { WheelTimer } from '../time/timer-wheel.js'
import { Session, type SessionUser } from './session.js'
import { Wills } from './wills.js'

/** What the registry works with. */
interface RegistryParts extends Basics {
  readonly router: Router
  readonly willsAfterRestart: 'publish' | 'drop'
  /** How long wills and ends of sessions wait for their client after a start of the broker, in ms; 0: not at all. */
  readonly graceMs: number
}

/** What a CONNECT asks for. */
interface Opening {
  readonly clientId: string
  /** Clean Start: what is left of an earlier session is thrown away. */
  readonly clean: boolean
  readonly expirySeconds: number
  readonly will: Will | undefined
}

export interface Opened {
  readonly session: Session
  /** Session Present: state of an earlier connection is there. */
  readonly present: boolean
  /** The commit that makes creation, resumption or deletion of stored state safe. */
  readonly commit: Commit
}

/** When a session without a connection ends. */
interface Expiry {
  /** In ms of the broker's time; infinite: never. */
  readonly at: number
  readonly timer: WheelTimer | undefined
}

/** All sessions by Client Identifier [MQTT-3.1.3-2]: who uses one, which go on without a connection, and until when. */
export class Registry {
  readonly wills: Wills
  /** The Client Identifiers of all sessions. */
  readonly names: SortedNames = new SortedNames()
  readonly #parts: RegistryParts
  readonly #sessions = new Map<string, Session>()
  readonly #expiries = new Map<Session, Expiry>()
  /** Client Identifiers whose session is being opened for somebody, and when that is over. */
  readonly #openings = new Map<string, Promise<void>>()
  /** Sessions whose time is over, until they have ended. */
  #overdue: Session[] = []
  /** One function for the timers of all sessions: there may be a million of them. */
  readonly #whenDue = (session: Session): void => this.#due(session)

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.wills = new Wills(parts)
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

  all(): Iterable<Session> {
    return this.#sessions.values()
  }

  /** When a session ends, in ms of the broker's time; `undefined` while it has a connection. */
  expiryOf(session: Session): number | undefined {
    return this.#expiries.get(session)?.at
  }

  /** The same as the wall clock shows it, in epoch ms. */
  expiresAt(session: Session): number | undefined {
    const at = this.expiryOf(session)
    return at === undefined || at === Number.POSITIVE_INFINITY ? at : Math.round(this.#parts.time.wallOf(at))
  }

  /** Ends a session at the wish of the person who runs the broker. `undefined`: there is none. */
  remove(clientId: string): Commit | undefined {
    const session = this.#sessions.get(clientId)
    if (!session) return undefined
    session.expirySeconds = 0
    if (!session.user) return this.#end(session)
    session.user.end('the session was removed', reason.administrativeAction)
    return this.#parts.store.latest
  }

  /** Ends all connections because the broker stops: a will stays in the store, due when it is opened again. */
  shutDown(why: string): void {
    for (const session of [...this.#sessions.values()]) {
      if (!session.user) continue
      session.will = undefined
      session.user.end(why, reason.serverShuttingDown)
    }
  }

  /** Another broker has taken this one's place: all connections are cut off, and no will is published. */
  cutOff(why: string): void {
    const left: (() => void)[] = []
    for (const session of this.#sessions.values()) {
      session.will = undefined
      if (session.user) left.push(session.user.cutOff(why))
    }
    for (const letGo of left) letGo()
  }

  /**
   * Gives the session of a Client Identifier to a new connection; an older connection is closed fully before. Those who come
   * with the same Client Identifier meanwhile have it one after the other, in the order in which they came.
   * @returns `undefined`: the connection has ended before its turn came; `in-use`: the program around the broker has it.
   */
  open(opening: Opening, user: SessionUser): MaybeAsync<Opened | 'in-use' | undefined> {
    const { clientId } = opening
    const before = this.#openings.get(clientId)
    const opened = before ? before.then(() => this.#open(opening, user)) : this.#open(opening, user)
    if (opened instanceof Promise) this.#noteOpening(clientId, opened)
    return opened
  }

  #noteOpening(clientId: string, opened: Promise<unknown>): void {
    const end = (): void => {
      if (this.#openings.get(clientId) === over) this.#openings.delete(clientId)
    }
    const over = opened.then(end, end)
    this.#openings.set(clientId, over)
  }

  #open(opening: Opening, user: SessionUser): MaybeAsync<Opened | 'in-use' | undefined> {
    if (user.closed) return undefined
    const { clientId, clean } = opening
    const known = this.#sessions.get(clientId)
    if (known?.user) {
      if (known.user.isInside) return 'in-use'
      this.#parts.metrics.takeovers++
      return whenReady(known.user.takeOver(), () => this.#open(opening, user))
    }
    const isOver = known !== undefined && this.#isOver(known)
    const present = known !== undefined && !clean && !isOver
    const ended = isOver ? this.#expire(known) : known && clean ? this.#end(known) : noCommit
    const session = present ? known : this.#create(clientId, opening.expirySeconds)
    const commit = later(ended, this.#take(session, opening, present))
    this.#stopExpiry(session)
    session.user = user
    session.expirySeconds = opening.expirySeconds
    return { session, present, commit }
  }

  /** Notes in the store that the session is used again. When that fails, it is as it was before, or not there. */
  #take(session: Session, { expirySeconds, will }: Opening, present: boolean): Commit {
    try {
      return later(session.stored.connected(expirySeconds), this.wills.set(session, will))
    } catch (error) {
      if (!present) this.#end(session)
      throw error
    }
  }

  /** Says anew how long a session lives on once its connection is gone; 0: it ends with it. */
  setExpiry(session: Session, seconds: number): void {
    session.expirySeconds = seconds
  }

  /** Its client leaves in order: the will is not published. */
  discardWill(session: Session): void {
    session.parting = this.wills.discard(session)
  }

  /**
   * The connection that used the session is gone.
   * @param soonest before that, in ms of the broker's time, the session does not end and its will is not published.
   */
  closed(session: Session, soonest: number = Number.NEGATIVE_INFINITY): Commit {
    const { parting } = session
    session.user = undefined
    session.parting = noCommit
    try {
      session.delivery.detach()
    } catch (error) {
      this.#parts.faults.contain(error, session, 'taking back what it was lent')
    }
    const isOver = session.expirySeconds === 0 && soonest === Number.NEGATIVE_INFINITY
    if (isOver) return later(parting, this.#end(session))
    const never = session.expirySeconds === neverExpires
    const afterNow = this.#parts.time.now() + session.expirySeconds * 1000
    const expiresAt = never ? Number.POSITIVE_INFINITY : Math.max(afterNow, soonest)
    this.#keepUntil(session, expiresAt)
    const stored = session.stored.disconnected(expiresAt)
    return later(later(parting, stored), this.wills.connectionClosed(session, undefined, soonest))
  }

  /** Takes up what an earlier process left; a connection that was open then counts as closed now. */
  recover(recovered: Pick<Recovered, 'sessions' | 'groups' | 'wills'>): void {
    this.wills.afterRestart(() => this.#recover(recovered))
  }

  #recover({ sessions, groups, wills }: Pick<Recovered, 'sessions' | 'groups' | 'wills'>): void {
    this.#parts.router.restoreGroups(groups)
    for (const recovered of sessions) {
      const session = this.#add(recovered.clientId, recovered.stored, recovered.expirySeconds, true)
      session.delivery.restore(recovered)
      session.restore(recovered, () => this.#parts.time.expiryNow())
    }
    this.#parts.router.endEmptyGroups()
    const dueTimes = new Map(wills.map(({ clientId, dueAt }) => [clientId, dueAt]))
    const { graceMs, time } = this.#parts
    const soonest = graceMs > 0 ? time.now() + graceMs : Number.NEGATIVE_INFINITY
    for (const { clientId, will } of wills) this.#recoverWill(clientId, will, soonest)
    for (const { clientId, expiresAt } of sessions) {
      const session = this.#sessions.get(clientId)!
      if (expiresAt === undefined) {
        this.closed(session, soonest)
        continue
      }
      this.#keepUntil(session, Math.max(expiresAt, soonest))
      this.wills.connectionClosed(session, dueTimes.get(clientId), soonest) // also one that an orderly stop has left
    }
  }

  /** Takes a will up. When its session is gone, it is due; else it becomes due when the session's connection counts as closed. */
  #recoverWill(clientId: string, will: Will, soonest: number): void {
    const session = this.#sessions.get(clientId) ?? this.#ghost(clientId)
    session.will = will
    if (this.#parts.willsAfterRestart === 'drop') this.wills.drop(session, 'will-after-restart')
    else if (!this.#sessions.has(clientId)) this.wills.orphaned(session, soonest)
  }

  /** Stands for a session of which an earlier process has left nothing but the will. */
  #ghost(clientId: string): Session {
    const stored = this.#volatile(clientId)
    return new Session(this.#delivery(clientId, stored, false), stored, this.#parts.router, 0)
  }

  #keepUntil(session: Session, expiresAt: number): void {
    const left = Math.max(0, expiresAt - this.#parts.time.now())
    const forEver = left === Number.POSITIVE_INFINITY
    const timer = forEver ? undefined : this.#parts.wheel.after(left, this.#whenDue, session)
    this.#expiries.set(session, { at: expiresAt, timer })
  }

  /** Nothing expires while nobody knows what time it is. */
  #lookAgain(session: Session): void {
    const { at } = this.#expiries.get(session)!
    this.#expiries.set(session, { at, timer: this.#parts.wheel.after(1000, this.#whenDue, session) })
  }

  /** Its time has come: it ends when its turn does, however many others end in this second. */
  #due(session: Session): void {
    if (this.#overdue.length === 0) this.#parts.chores.add(this.#expireDue())
    this.#overdue.push(session)
  }

  *#expireDue(): Chore {
    for (let at = 0; at < this.#overdue.length; at++) {
      const session = this.#overdue[at]!
      const isStill = this.#sessions.get(session.clientId) === session && this.#expiries.has(session)
      if (isStill && this.#isOver(session)) {
        const work = 2 + session.subscriptions.size
        try {
          this.#expire(session)
        } catch (error) {
          this.#parts.faults.contain(error, session, 'ending a session that has expired')
        }
        yield work
        continue
      }
      if (isStill) this.#lookAgain(session)
      yield 1
    }
    this.#overdue = []
  }

  /** Its time is over [MQTT-4.1.0-2]; its timer comes up to a second later, also after a start of the broker. */
  #isOver(session: Session): boolean {
    return (this.expiryOf(session) ?? Number.POSITIVE_INFINITY) <= this.#parts.time.expiryNow()
  }

  #stopExpiry(session: Session): void {
    this.#expiries.get(session)?.timer?.cancel()
    this.#expiries.delete(session)
  }

  #create(clientId: string, expirySeconds: number): Session {
    const durable = expirySeconds > 0
    const stored = durable ? this.#parts.store.session(clientId) : this.#volatile(clientId)
    return this.#add(clientId, stored, expirySeconds, durable)
  }

  /** Sessions that end with their connection are never stored. */
  #volatile(clientId: string): SessionStore {
    return new MemorySessionStore(clientId, this.#parts.memory)
  }

  #add(clientId: string, stored: SessionStore, expirySeconds: number, durable: boolean): Session {
    const session = new Session(this.#delivery(clientId, stored, durable), stored, this.#parts.router, expirySeconds)
    this.#sessions.set(clientId, session)
    this.names.add(clientId)
    this.#tell('session-created', clientId)
    return session
  }

  #delivery(clientId: string, stored: SessionStore, durable: boolean): Delivery {
    return new Delivery({ clientId, queue: stored.queue, durable, parts: this.#parts })
  }

  #expire(session: Session): Commit {
    this.#parts.metrics.sessionsExpired++
    this.#parts.log.log('info', 'session expired', { clientId: session.clientId })
    return this.#end(session)
  }

  /** A will that still waits for its delay goes out with the end of its session. */
  #end(session: Session): Commit {
    this.#stopExpiry(session)
    if (this.#sessions.delete(session.clientId)) this.names.delete(session.clientId)
    let commit: Commit = noCommit
    try {
      commit = session.end()
    } finally {
      commit = later(commit, this.wills.publish(session))
      this.#tell('session-ended', session.clientId)
    }
    return commit
  }

  #tell(type: 'session-created' | 'session-ended', clientId: string): void {
    const { changes } = this.#parts.router
    if (changes.isWatched) changes.tell({ type, clientId })
  }
}
