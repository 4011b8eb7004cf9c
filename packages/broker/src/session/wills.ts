import type { Commit } from '../commit.js'
import type { Drops } from '../drops.js'
import { Message } from '../message.js'
import type { Router } from '../router/router.js'
import { isSystemTopic } from '../router/system-topics.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import type { Session } from './session.js'

/** What wills work with. */
export interface WillParts {
  readonly router: Router
  readonly store: Store
  readonly drops: Drops
  readonly clock: Clock
  readonly wheel: TimerWheel
}

/** The wills of sessions: kept with the session, published once or never, at once or when their delay is over. */
export class Wills {
  readonly #parts: WillParts
  readonly #delayed = new Map<Session, WheelTimer>()

  constructor(parts: WillParts) {
    this.#parts = parts
  }

  /** A new connection brings its will, or none; the one before it, if it is still pending, is cancelled [MQTT-3.1.3-9]. */
  set(session: Session, will: Session['will']): Commit {
    const had = session.will !== undefined
    this.#cancelDelay(session)
    session.will = will
    return will || had ? this.#parts.store.setWill(session.clientId, will) : 0
  }

  /** DISCONNECT discards it [MQTT-3.14.4-3]. */
  discard(session: Session): Commit {
    return this.set(session, undefined)
  }

  /** The connection is gone: it goes out now, or after its delay if the session lives on [MQTT-3.1.2-8]. */
  connectionClosed(session: Session, dueAt?: number): Commit {
    const { will } = session
    if (!will) return 0
    const { clock, wheel, store } = this.#parts
    const delayMs = dueAt === undefined ? (will.properties?.willDelayInterval ?? 0) * 1000 : dueAt - clock.now()
    if (delayMs <= 0) return this.publish(session)
    this.#delayed.set(
      session,
      wheel.after(delayMs, () => void this.publish(session)),
    )
    return store.setWill(session.clientId, will, clock.now() + delayMs)
  }

  /** Its time has come, or its session has ended: it goes out, once [MQTT-3.1.2-10]. */
  publish(session: Session): Commit {
    const { will, clientId } = session
    if (!will) return 0
    const { router, drops, clock } = this.#parts
    this.#cancelDelay(session)
    session.will = undefined
    let commit: Commit = 0
    if (isSystemTopic(will.topic)) drops.report('system-topic', clientId)
    else commit = router.publish(Message.ofWill(will, clientId, clock.now()))
    return Math.max(commit, this.#parts.store.setWill(clientId, undefined))
  }

  #cancelDelay(session: Session): void {
    this.#delayed.get(session)?.cancel()
    this.#delayed.delete(session)
  }
}
