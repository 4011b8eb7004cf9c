import type { QoS } from '@godwit/protocol'
import type { DropReason } from '../../src/metrics.js'
import { type ModelGrant, ModelGroup, type ModelMessage, ModelSession, type ModelWill } from './session-model.js'

export const sharedFilter = '$share/g/s'
/** What a session of 3.1.1 with Clean Session 0 lives on for, in seconds. */
export const expiryOf311 = 50

export interface Greeting {
  readonly clientId: string
  readonly version: 4 | 5
  readonly cleanStart: boolean
  readonly expiry: number
  readonly window: number
  readonly will: ModelWill | undefined
}

const matches: Record<string, (topic: string) => boolean> = {
  't/a': (topic) => topic === 't/a',
  't/+': (topic) => topic.startsWith('t/'),
  'w/#': (topic) => topic.startsWith('w/'),
}

/** What the outside of a broker must look like, after everything that was said to it. Time is in seconds. */
export class WorldModel {
  now = 0
  readonly sessions: Map<string, ModelSession> = new Map()
  readonly retained: Map<string, { message: ModelMessage; sequence: number }> = new Map()
  group: ModelGroup = new ModelGroup()
  willsPublished = 0
  sessionsExpired = 0
  takeovers = 0
  readonly dropped: Partial<Record<DropReason, number>> = {}
  #sequence = 0

  connect({ clientId, version, cleanStart, expiry, window, will }: Greeting): ModelSession {
    const known = this.sessions.get(clientId)
    if (known?.connected) this.takeovers++
    if (known?.connected) this.close(known, false) // a take-over is a close like any other [MQTT-3.1.4-3]
    const old = this.sessions.get(clientId)
    if (old && cleanStart) this.#end(old)
    const resumed = this.sessions.get(clientId)
    const session = resumed ?? new ModelSession(clientId, (reason) => this.drop(reason))
    this.sessions.set(clientId, session)
    Object.assign(session, { version, window, expiry, will, connected: true })
    session.endsAt = session.willDueAt = Number.POSITIVE_INFINITY
    session.unrepeated = session.inFlight
    session.repeated = new Set()
    session.expected.push({ line: `connack 0${resumed ? ' present' : ''}` })
    this.pump(session)
    return session
  }

  /** The connection is gone; with a DISCONNECT of reason 0, the will too [MQTT-3.14.4-3]. */
  close(session: ModelSession, discardsWill: boolean): void {
    if (discardsWill) session.will = undefined
    session.connected = false
    session.expected = []
    this.#giveBack(session)
    if (session.expiry === 0) return this.#end(session)
    session.endsAt = session.expiry === 0xffff_ffff ? Number.POSITIVE_INFINITY : this.now + session.expiry
    if (session.will && session.will.delay > 0) session.willDueAt = this.now + session.will.delay
    else this.#publishWill(session)
  }

  subscribe(session: ModelSession, filter: string, grant: ModelGrant, retainHandling: 0 | 1 | 2): void {
    const isNew = !session.subscriptions.has(filter)
    session.subscriptions.set(filter, grant)
    if (filter === sharedFilter) this.group.members.set(session, grant)
    else if (retainHandling === 0 || (retainHandling === 1 && isNew)) {
      session.replays = session.replays.filter((replay) => replay.filter !== filter)
      session.replays.push({ filter, upTo: this.#sequence, grant })
    }
    this.pump(session)
  }

  unsubscribe(session: ModelSession, filter: string): void {
    session.subscriptions.delete(filter)
    session.replays = session.replays.filter((replay) => replay.filter !== filter)
    if (filter === sharedFilter) this.#leaveGroup(session)
  }

  publish(message: ModelMessage): void {
    const { topic, payload } = message
    if (message.retain && payload === '') this.retained.delete(topic)
    else if (message.retain) this.retained.set(topic, { message, sequence: ++this.#sequence })
    for (const session of this.sessions.values()) this.#deliver(session, message)
    if (topic === 's' && this.group.members.size > 0) this.#share(message)
  }

  /** Somebody is subscribed to it, be it with No Local. */
  isWanted(topic: string): boolean {
    if (topic === 's') return this.group.members.size > 0
    return [...this.sessions.values()].some(({ subscriptions }) =>
      [...subscriptions.keys()].some((f) => matches[f]?.(topic)),
    )
  }

  /** The next moment at which something ends by itself, if there is one. */
  get nextDue(): number | undefined {
    const due = [...this.retained.values()].map(({ message }) => message.expiresAt)
    for (const message of this.group.pending) due.push(message.expiresAt)
    for (const { endsAt, willDueAt, deliveries } of this.sessions.values()) {
      due.push(endsAt, willDueAt, ...deliveries.map(({ message }) => message.expiresAt))
    }
    const next = Math.min(...due.filter((at) => at > this.now))
    return Number.isFinite(next) ? next : undefined
  }

  advance(seconds: number): void {
    for (const end = this.now + seconds; this.now < end; ) {
      this.now++
      for (const session of [...this.sessions.values()]) {
        if (session.willDueAt <= this.now) this.#publishWill(session)
        if (session.endsAt <= this.now) {
          this.sessionsExpired++
          this.#end(session)
        }
      }
    }
  }

  /** Sends what waits, while there is room: first what was sent before, then the queue, then what is retained. */
  pump(session: ModelSession): void {
    if (!session.connected) return
    session.repeat()
    session.sendWaiting(this.now)
    while (session.replays.length > 0 && session.ready) {
      const { filter, upTo, grant } = session.replays.shift()!
      for (const { message, sequence } of this.retained.values()) {
        if (sequence > upTo || message.expiresAt <= this.now || !matches[filter]!(message.topic)) continue
        if (grant.noLocal && message.publisher === session.clientId) continue // [MQTT-3.8.3-3]
        const identifiers = grant.identifier > 0 ? [grant.identifier] : []
        session.deliver(message, lower(message.qos, grant.qos), true, identifiers, this.now) // RETAIN 1 [MQTT-3.3.1-8]
      }
    }
  }

  /** One copy for overlapping subscriptions, at the highest QoS granted; without those with No Local, for its publisher. */
  #deliver(session: ModelSession, message: ModelMessage): void {
    const grants = [...session.subscriptions]
      .filter(
        ([filter, { noLocal }]) =>
          matches[filter]?.(message.topic) && !(noLocal && message.publisher === session.clientId),
      )
      .map(([, grant]) => grant)
    if (grants.length === 0) return
    const highest = Math.max(...grants.map(({ qos }) => qos)) as QoS
    const retain = message.retain && grants.some((grant) => grant.retainAsPublished)
    const identifiers = grants.map(({ identifier }) => identifier).filter((identifier) => identifier > 0)
    session.deliver(
      message,
      lower(message.qos, highest),
      retain,
      identifiers.sort((a, b) => a - b),
      this.now,
    )
  }

  #share(message: ModelMessage): void {
    const isFleeting = message.qos === 0 || [...this.group.members.values()].every(({ qos }) => qos === 0)
    if (isFleeting) this.group.fleeting = message
    else this.group.pending.add(message)
  }

  #giveBack(session: ModelSession): void {
    for (const delivery of session.deliveries) {
      if (delivery.group === undefined || delivery.group !== this.group) continue
      this.group.pending.add(delivery.message)
      session.forget(delivery)
    }
  }

  #leaveGroup(session: ModelSession): void {
    this.group.members.delete(session)
    if (this.group.members.size === 0) this.group = new ModelGroup() // without members it is nothing
  }

  #end(session: ModelSession): void {
    this.#giveBack(session)
    for (const { shared, qos, state } of session.deliveries) {
      if (shared && qos === 2 && state === 'sent') this.drop('shared-member-gone') // nobody else may get it [MQTT-4.8.2-5]
    }
    this.sessions.delete(session.clientId)
    session.connected = false
    this.#leaveGroup(session)
    this.#publishWill(session)
  }

  drop(reason: DropReason): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1
  }

  #publishWill(session: ModelSession): void {
    const { will, clientId } = session
    session.will = undefined
    session.willDueAt = Number.POSITIVE_INFINITY
    if (!will) return
    this.willsPublished++
    const { topic, payload, qos, retain } = will
    this.publish({ topic, payload, qos, retain, expiresAt: Number.POSITIVE_INFINITY, publisher: clientId })
  }
}

export function lower(a: QoS, b: QoS): QoS {
  return a < b ? a : b
}
