import type { Basics } from '../basics.js'
import { type Commit, later, noCommit } from '../commit.js'
import { Message } from '../message.js'
import type { DropReason } from '../metrics.js'
import type { Router } from '../router/router.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Chore } from '../time/chores.js'
import type { WheelTimer } from '../time/timer-wheel.js'
import type { Session } from './session.js'

/** What wills work with. */
interface WillParts extends Basics {
  readonly router: Router
}

/** A will that waits for its delay. */
interface Delayed {
  /** In ms of the broker's time. */
  readonly dueAt: number
  readonly timer: WheelTimer
}

/** The wills of sessions: kept with the session, published once or never, at once or when their delay is over. */
export class Wills {
  readonly #parts: WillParts
  readonly #delayed = new Map<Session, Delayed>()
  /** Wills that fall due while the sessions of an earlier process are taken up: they are published afterwards, in portions. */
  readonly #due = new Map<string, Session>()
  #recovering = false
  /** Sessions of which nothing but a will was left, which waits for its client. */
  readonly #orphans = new Map<string, Session>()
  /** Wills whose delay is over, until they are out. */
  #delayedDue: Session[] = []

  constructor(parts: WillParts) {
    this.#parts = parts
  }

  /** A new connection brings its will, or none; the one before it, if it is still pending, is cancelled [MQTT-3.1.3-9]. */
  set(session: Session, will: Session['will']): Commit {
    const orphan = this.#orphans.get(session.clientId)
    const overdue = [session, orphan].find((one) => one !== undefined && this.#isOverdue(one))
    const due = this.#due.get(session.clientId) ?? overdue
    const published = due ? this.publish(due) : noCommit // now: published later, it would remove the new will from the store
    const had = session.will !== undefined || this.#takeBack(orphan)
    this.#cancelDelay(session)
    session.will = will
    return will || had ? this.#parts.store.setWill(session.clientId, will) : published
  }

  /** DISCONNECT discards it [MQTT-3.14.4-3]. */
  discard(session: Session): Commit {
    return this.set(session, undefined)
  }

  /** The client of a will that was left alone has come back in time: takes the will back. Answers whether there was one. */
  #takeBack(orphan: Session | undefined): boolean {
    if (orphan?.will === undefined) return false
    orphan.will = undefined
    this.#cancelDelay(orphan)
    this.#orphans.delete(orphan.clientId)
    return true
  }

  /** Nothing but the will is left of a session: publishes it now, or at `soonest`, unless its client has come back by then. */
  orphaned(session: Session, soonest: number): void {
    if (soonest === Number.NEGATIVE_INFINITY) return void this.publish(session)
    this.#orphans.set(session.clientId, session)
    this.connectionClosed(session, this.#parts.time.now(), soonest)
  }

  /**
   * The connection is gone: its will is published now, or after its delay if the session lives on [MQTT-3.1.2-8].
   * @param soonest not before that, in ms of the broker's time.
   */
  connectionClosed(session: Session, dueAt?: number, soonest: number = Number.NEGATIVE_INFINITY): Commit {
    const { will } = session
    if (!will) return noCommit
    const { time, wheel, store } = this.#parts
    const ownDelay = dueAt === undefined ? (will.properties?.willDelayInterval ?? 0) * 1000 : dueAt - time.now()
    const delayMs = Math.max(ownDelay, soonest - time.now())
    if (delayMs <= 0) return this.publish(session)
    const delayed = { dueAt: time.now() + delayMs, timer: wheel.after(delayMs, () => this.#fallDue(session), session) }
    this.#delayed.set(session, delayed)
    return store.setWill(session.clientId, will, delayed.dueAt)
  }

  /** The delay of a will is over: it is published when its turn comes, however many others fall due in this second. */
  #fallDue(session: Session): void {
    if (this.#delayedDue.length === 0) this.#parts.chores.add(this.#publishDelayed())
    this.#delayedDue.push(session)
  }

  *#publishDelayed(): Chore {
    for (let at = 0; at < this.#delayedDue.length; at++) {
      const session = this.#delayedDue[at]!
      if (this.#isOverdue(session)) this.#publishContained(session)
      yield 2
    }
    this.#delayedDue = []
  }

  /** Whether the delay of its will is over, though the timer has not looked yet: a client that comes back now does not cancel it. */
  #isOverdue(session: Session): boolean {
    const delayed = this.#delayed.get(session)
    return delayed !== undefined && delayed.dueAt <= this.#parts.time.now()
  }

  /** Publishes the will of a session, once [MQTT-3.1.2-10]: its time has come, or the session has ended. */
  publish(session: Session): Commit {
    const { will, clientId } = session
    if (!will) return noCommit
    const { router, metrics, time } = this.#parts
    if (this.#recovering) {
      this.#due.set(clientId, session)
      return noCommit
    }
    if (isSystemTopic(will.topic)) return this.drop(session, 'system-topic')
    metrics.willsPublished++
    session.will = undefined
    const commit = router.publish(Message.ofWill(will, clientId, time.now()))
    return later(commit, this.#forget(session))
  }

  /** Discards the will of a session unpublished, and counts it as dropped. */
  drop(session: Session, why: DropReason): Commit {
    this.#parts.drops.report(why, session.clientId)
    return this.#forget(session)
  }

  /** Runs `recover`, and publishes what it finds due afterwards, a portion a second: a storm of wills must not stop all else. */
  afterRestart(recover: () => void): void {
    this.#recovering = true
    recover()
    this.#recovering = false
    this.#publishDue()
  }

  #publishDue(): void {
    const { limits, wheel } = this.#parts
    let left = limits.willsAfterRestartPerSecond
    for (const session of this.#due.values()) {
      if (left-- === 0) {
        wheel.after(1000, () => this.#publishDue())
        return
      }
      this.#due.delete(session.clientId)
      this.#publishContained(session)
    }
  }

  #publishContained(session: Session): void {
    try {
      this.publish(session)
    } catch (error) {
      this.#parts.faults.contain(error, session, 'publishing a will')
    }
  }

  #forget(session: Session): Commit {
    this.#cancelDelay(session)
    this.#due.delete(session.clientId)
    if (this.#orphans.get(session.clientId) === session) this.#orphans.delete(session.clientId)
    session.will = undefined
    return this.#parts.store.setWill(session.clientId, undefined)
  }

  #cancelDelay(session: Session): void {
    this.#delayed.get(session)?.timer.cancel()
    this.#delayed.delete(session)
  }
}
