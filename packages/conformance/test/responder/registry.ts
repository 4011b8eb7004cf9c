import type { Connect, Will } from '@godwit/protocol'
import { longestSessionSeconds } from './offer.js'
import type { Router } from './router.js'
import { type Left, Session, type Subscribed } from './session.js'
import { expiryOf, msOf, type World } from './world.js'

/** What the registry must know of a connection that ends. */
export interface Ending {
  readonly session: Session
  readonly will: Will | undefined
  readonly how: Left
}

/** Sessions by Client Identifier: opened, left, and over when their time is (section 3.1.2.4; 5.0, 3.1.2.11.2). */
export class Registry {
  readonly #world: World
  readonly #router: Router
  #assigned = 0
  /** Of each client that had one, and of the last; only faults look here. */
  readonly #formerWills = new Map<string, Will>()
  #latestWill: Will | undefined
  /** Client Identifiers that were ever given, and what those had subscribed to whose session is over; likewise. */
  readonly #former = new Map<string, ReadonlyMap<string, Subscribed>>()

  constructor(world: World, router: Router) {
    this.#world = world
    this.#router = router
  }

  /** A Client Identifier for a client without one [MQTT-3.1.3-6]. */
  assign({ properties }: Connect): string {
    const { mutated } = this.#world
    if (properties?.sessionExpiryInterval === undefined && mutated('same-id-assigned')) return 'assigned'
    if (!mutated('assigned-ids-of-others')) return `assigned-${++this.#assigned}`
    for (let i = 1; ; i++) if (!this.#router.sessions.get(`assigned-${i}`)?.outlet) return `assigned-${i}`
  }

  /** What a session is kept under [MQTT-3.1.3-2]. */
  keyOf(clientId: string): string {
    const lower = clientId.toLowerCase()
    return lower !== clientId && this.#world.mutated('client-id-case-ignored') ? lower : clientId
  }

  /** The session of a client that may come in. */
  open(connect: Connect, clientId: string): { readonly session: Session; readonly present: boolean } {
    const { mutated } = this.#world
    this.#latestWill = connect.will ?? this.#latestWill
    const key = this.keyOf(clientId)
    const earlier = this.#router.sessions.get(key)
    if (earlier) this.#stopWaiting(earlier, connect.cleanStart)
    const isForgotten = earlier?.isEmpty && mutated('empty-sessions-forgotten')
    if (earlier && !connect.cleanStart && !isForgotten) {
      earlier.expiryMs = this.#expiryOf(connect)
      return { session: earlier, present: true }
    }
    const session = new Session(key, this.#world)
    session.expiryMs = this.#expiryOf(connect)
    this.#router.sessions.set(key, session)
    const former = this.#former.get(key)
    if (!connect.cleanStart && former?.size && mutated('ended-sessions-revived')) {
      for (const [filter, one] of former) session.subscriptions.set(filter, one)
    }
    return { session, present: this.#isSaidPresent(connect, earlier) }
  }

  /** Session Present of a session that is new (5.0 [MQTT-3.2.2-2] [MQTT-3.2.2-3]): only ever by a mutation. */
  #isSaidPresent({ clientId, cleanStart }: Connect, earlier: Session | undefined): boolean {
    const { mutated } = this.#world
    const isNew = clientId !== '' && !cleanStart && !this.#former.has(clientId)
    this.#former.set(clientId, this.#former.get(clientId) ?? new Map())
    if (isNew && mutated('always-present')) return true
    return cleanStart && earlier?.isEmpty === true && mutated('present-after-clean')
  }

  #expiryOf({ version, cleanStart, properties }: Connect): number {
    const never = Number.POSITIVE_INFINITY
    if (version < 5) return cleanStart ? 0 : never
    const seconds = properties?.sessionExpiryInterval ?? 0
    const { mutated, chooses } = this.#world
    if (chooses('sessions-end-sooner')) return msOf(Math.min(seconds, longestSessionSeconds), mutated)
    return seconds === 0xffff_ffff && !mutated('long-intervals-run-over') ? never : msOf(seconds, mutated)
  }

  /** The client is back: its delayed will is called off, unless the session is over (5.0 [MQTT-3.1.3-9]). */
  #stopWaiting(session: Session, over: boolean): void {
    const { mutated } = this.#world
    session.stopExpiry()
    const { pendingWill } = session
    if (!pendingWill || (!over && mutated('will-delay-goes-on'))) return
    pendingWill.cancel()
    session.pendingWill = undefined
    if (over) this.publishWill(pendingWill.will, session.clientId)
  }

  /** A connection has ended. */
  leave({ session, will, how }: Ending): void {
    const { mutated, clock } = this.#world
    session.leave(how)
    const keptWill = this.#keptWill(session, will)
    const isPublished = how !== 'disconnect' || (will?.retain && mutated('retained-will-despite-disconnect'))
    const isLost = how === 'lost' && mutated('will-lost-with-connection')
    if (keptWill && isPublished && !isLost && !(how === 'violation' && mutated('no-will-after-violation'))) {
      this.#scheduleWill(session, keptWill)
    }
    const outlives = how === 'lost' && session.subscriptions.size > 0 && mutated('clean-session-outlives-loss')
    if (session.expiryMs === 0 && !outlives) this.#end(session)
    else if (Number.isFinite(session.expiryMs) && !(session.expiryMs === 2000 && mutated('two-seconds-never-over'))) {
      session.stopExpiry = clock.after(session.expiryMs, () => this.#end(session))
    }
  }

  /** A will is forgotten with its connection [MQTT-3.1.2-10]; some faults are not to. */
  #keptWill(session: Session, will: Will | undefined): Will | undefined {
    const { mutated } = this.#world
    const former = this.#formerWills.get(session.clientId)
    if (will) this.#formerWills.set(session.clientId, will)
    if (will) return will !== this.#latestWill && mutated('wills-not-told-apart') ? this.#latestWill : will
    const isKept = former && mutated(session.expiryMs === 0 ? 'will-kept-for-client-id' : 'will-kept-with-session')
    return isKept ? former : undefined
  }

  #scheduleWill(session: Session, will: Will): void {
    const { clock, mutated } = this.#world
    const delayMs = msOf(will.properties?.willDelayInterval ?? 0, mutated)
    if (delayMs === 0 || session.expiryMs === 0) return this.publishWill(will, session.clientId)
    const publish = (): void => {
      session.pendingWill = undefined
      this.publishWill(will, session.clientId)
    }
    session.pendingWill = { will, cancel: clock.after(delayMs, publish) }
  }

  publishWill(will: Will, from: string): void {
    const { mutated } = this.#world
    const { willDelayInterval: _, ...properties } = will.properties ?? {}
    const retain = (will.retain || mutated('wills-retained')) && !mutated('wills-never-retained')
    const swapped = mutated('will-fields-swapped')
    const userProperties = mutated('will-user-properties-reversed') && properties.userProperties?.toReversed()
    this.#router.publish({
      topic: swapped ? new TextDecoder().decode(will.payload) || 'x' : will.topic,
      payload: swapped ? new TextEncoder().encode(will.topic) : will.payload,
      qos: will.qos,
      retain,
      dup: false,
      properties: { ...properties, ...(userProperties && { userProperties }) },
      from,
      expiresAt: expiryOf(this.#world, properties),
    })
  }

  /** The session is over; a will that still waits comes now (5.0, section 3.1.3.2.2). */
  #end(session: Session): void {
    const { pendingWill } = session
    pendingWill?.cancel()
    session.pendingWill = undefined
    if (pendingWill && !this.#world.mutated('delayed-will-lost-with-session')) {
      this.publishWill(pendingWill.will, session.clientId)
    }
    for (const copy of session.sharedUnderWay) {
      if (this.#world.mutated('shared-of-ended-session-goes-on')) this.#router.passOn(copy, session)
    }
    if (this.#router.sessions.get(session.clientId) === session) this.#router.sessions.delete(session.clientId)
    this.#former.set(session.clientId, session.subscriptions)
    this.#router.sessionEnded(session.clientId)
  }
}
