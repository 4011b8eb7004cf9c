import { matchesFilter, type QoS, splitShared } from '@godwit/protocol'
import type { Copy, Session, Subscribed } from './session.js'
import type { Message, World } from './world.js'

/** Who gets a message, and what is retained. */
export class Router {
  readonly sessions: Map<string, Session> = new Map()
  readonly retained: Map<string, Message> = new Map()
  readonly #world: World
  readonly #turns = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  publish(given: Message): void {
    const { mutated } = this.#world
    const isMarked = given.topic.startsWith('\ufeff') && mutated('bom-stripped')
    const message = isMarked ? { ...given, topic: given.topic.slice(1) } : given
    this.#retain(message)
    const groups = new Map<string, { session: Session; subscription: Subscribed }[]>()
    for (const session of this.sessions.values()) {
      const own: Subscribed[] = []
      for (const subscription of session.subscriptions.values()) {
        const shared = splitShared(subscription.filter)
        if (!this.#matches(shared?.filter ?? subscription.filter, message.topic)) continue
        if (!shared) own.push(subscription)
        else {
          const members = groups.get(subscription.filter) ?? []
          groups.set(subscription.filter, [...members, { session, subscription }])
        }
      }
      this.#deliver(
        session,
        own.filter((one) => this.#isWanted(one, message, session)),
        message,
      )
    }
    for (const [name, members] of groups) this.#deliverShared(name, members, message)
  }

  hasReceiver(topic: string): boolean {
    return [...this.sessions.values()].some(({ subscriptions }) =>
      [...subscriptions.keys()].some((filter) => matchesFilter(splitShared(filter)?.filter ?? filter, topic)),
    )
  }

  /** 5.0 [MQTT-3.8.3-3]: nobody hears themselves who does not want to. */
  #isWanted({ noLocal = false }: Subscribed, message: Message, session: Session): boolean {
    const { mutated } = this.#world
    const own = message.from === session.clientId
    if (own && message.qos === 1 && mutated('publisher-left-out')) return false
    return !own || !noLocal || mutated('no-local-ignored')
  }

  /** One copy, at the highest QoS of all that match [MQTT-3.3.5-1]. */
  #deliver(session: Session, matching: readonly Subscribed[], message: Message): void {
    if (matching.length === 0) return
    if (matching.length > 1 && this.#world.chooses('copy-for-each-subscription')) {
      for (const one of matching) this.#deliver(session, [one], message)
      return
    }
    const { mutated } = this.#world
    const granted =
      matching.length > 1 && mutated('last-overlapping-qos')
        ? matching.at(-1)!.qos
        : (Math.max(...matching.map(({ qos }) => qos)) as QoS)
    const asPublished = matching.some(({ retainAsPublished = false }) => retainAsPublished)
    const retain = (message.retain && (asPublished || mutated('retain-passed-on'))) || this.#retainAdded(asPublished)
    const identifiers = matching.flatMap(({ identifier }) => (identifier === undefined ? [] : [identifier]))
    const isRaised = granted === 1 && message.qos === 2 && mutated('qos1-grant-gets-2')
    const qos = isRaised ? message.qos : (Math.min(message.qos, granted) as QoS)
    const renamed = { ...message, topic: this.#topicFor(matching[0]!.filter, message.topic) }
    const copy = { message: renamed, qos, retain, identifiers: this.#identifiersSent(identifiers) }
    session.deliver(copy)
    if (matching.length > 1 && mutated('copies-with-all-identifiers')) session.deliver(copy)
  }

  #retainAdded(asPublished: boolean): boolean {
    return asPublished && this.#world.mutated('retain-as-published-always-1')
  }

  #identifiersSent(identifiers: readonly number[]): readonly number[] {
    const { mutated } = this.#world
    if (identifiers.length > 0 && mutated('no-subscription-identifiers')) return []
    return identifiers.length > 1 && mutated('one-identifier-only') ? identifiers.slice(0, 1) : identifiers
  }

  #topicFor(filter: string, topic: string): string {
    const atParent = filter === `${topic}/#` && filter.split('/').length > 4
    return atParent && this.#world.mutated('parent-named-wrongly') ? topic.slice(0, topic.lastIndexOf('/')) : topic
  }

  /** One member of a group, in turn; those that are connected first (5.0, section 4.8.2). */
  #deliverShared(name: string, all: readonly { session: Session; subscription: Subscribed }[], message: Message): void {
    const { mutated } = this.#world
    const connected = all.filter(({ session }) => session.outlet)
    const members = connected.length > 0 ? connected : all
    const turn = this.#world.chooses('last-member-always') ? members.length - 1 : (this.#turns.get(name) ?? 0)
    this.#turns.set(name, turn + 1)
    const { session, subscription } = members[turn % members.length]!
    const { identifier, qos: granted } = subscription
    const isRaised = message.qos > granted && mutated('shared-qos-as-published')
    const qos = isRaised ? message.qos : (Math.min(message.qos, granted) as QoS)
    const identifiers = identifier === undefined ? [] : [identifier]
    session.deliver({ message, qos, retain: false, identifiers, group: name })
  }

  /** To another member of its group: what a correct server never does (5.0 [MQTT-4.8.2-5] [MQTT-4.8.2-6]). */
  passOn(copy: Copy, from: Session): void {
    for (const session of this.sessions.values()) {
      if (session !== from && session.subscriptions.has(copy.group ?? '')) return session.deliver(copy)
    }
  }

  #matches(filter: string, topic: string): boolean {
    const { mutated } = this.#world
    if (topic.startsWith('$') && !filter.startsWith('$') && mutated('dollar-topics-match')) {
      return matchesFilter(`x${filter}`.replace(/^x(?=[+#])/, ''), topic.slice(1))
    }
    const [composedFilter, composed] = [filter.normalize('NFC'), topic.normalize('NFC')]
    const isComposed = composedFilter === filter && composed === topic
    if (!isComposed && mutated('topics-normalised')) return matchesFilter(composedFilter, composed)
    return matchesFilter(filter, topic)
  }

  // ---- retained messages

  #retain(message: Message): void {
    const { mutated } = this.#world
    const { topic, payload, qos } = message
    if (!message.retain) {
      if (payload.length === 0 && mutated('empty-removes-retained')) this.retained.delete(topic)
      return // [MQTT-3.3.1-12]
    }
    if (payload.length === 0 && !mutated('empty-retained-kept')) {
      if (!mutated('empty-retained-removes-nothing')) this.retained.delete(topic) // [MQTT-3.3.1-10]
      return
    }
    if (qos === 0 && mutated('retained-at-qos-0-ignored')) return
    if (qos === 0 && this.#world.chooses('qos-0-not-retained')) return void this.retained.delete(topic)
    this.retained.set(topic, mutated('retained-at-qos-1') ? { ...message, qos: Math.min(qos, 1) as QoS } : message)
  }

  /** What a new subscription gets. */
  retainedFor({ filter, qos, identifier }: Subscribed): readonly Copy[] {
    const { mutated, clock } = this.#world
    if (splitShared(filter)) return []
    const isHash = filter.endsWith('#') && this.retained.size > 0
    const retain = !(isHash && mutated('retain-cleared-for-hash'))
    const copies = [...this.retained.values()]
      .filter((message) => matchesFilter(filter, message.topic) && message.expiresAt > clock.now)
      .map((message) => ({
        message: { ...message, dup: false },
        qos: Math.min(message.qos, qos) as QoS,
        retain,
        identifiers: identifier === undefined ? [] : [identifier],
      }))
    if (this.#world.chooses('retained-backwards')) copies.reverse()
    return copies.length > 1 && mutated('one-retained-per-filter') ? copies.slice(0, 1) : copies
  }

  /** Retained messages are no session state [MQTT-3.1.2-7]. */
  sessionEnded(clientId: string): void {
    for (const [topic, { from }] of this.retained) {
      if (from === clientId && this.#world.mutated('retained-ends-with-session')) this.retained.delete(topic)
    }
  }
}
