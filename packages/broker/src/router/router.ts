import { splitShared } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import type { Changes } from '../changes.js'
import { type Commit, later, noCommit } from '../commit.js'
import type { Drops } from '../drops.js'
import type { Faults } from '../faults.js'
import type { Features } from '../features.js'
import type { Message } from '../message.js'
import type { SmallMap } from '../small-map.js'
import type { RecoveredGroup, Store } from '../store/store.js'
import { SlicedLoop, type Slices } from '../time/slices.js'
import { Marks } from './marks.js'
import type { RetainedMessages, RetainedWalk } from './retained.js'
import type { Member, SharedGroup } from './shared-group.js'
import type { SharedGroups } from './shared-groups.js'
import { type Grant, plainGrant, type Subscriber } from './subscriber.js'
import { type Match, Subscriptions } from './subscriptions.js'
import { isSystemTopic } from './system-topics.js'
import type { TopicSketch } from './topic-sketch.js'

/** What the router works with. */
interface RouterParts extends Pick<Basics, 'store' | 'drops' | 'faults' | 'slices' | 'features' | 'accounts'> {
  readonly retained: RetainedMessages
  readonly groups: SharedGroups
  readonly changes: Changes
}

const nothing: readonly undefined[] = []

/** After so many subscribers a publication that may come twice can go on in another commit. */
const subscribersOfPart = 256

/** Decides who gets a message, and keeps what is retained. */
export class Router {
  readonly subscriptions: Subscriptions = new Subscriptions()
  readonly retained: RetainedMessages
  readonly changes: Changes
  #sessionSubscriptions = 0
  /** Count what is published, while somebody looks. */
  #sketches: readonly TopicSketch[] = []
  readonly groups: SharedGroups
  readonly marks: Marks
  readonly #store: Store
  readonly #drops: Drops
  readonly #features: Features
  readonly #faults: Faults
  readonly #slices: Slices

  constructor(parts: RouterParts) {
    this.retained = parts.retained
    this.changes = parts.changes
    this.groups = parts.groups
    this.#store = parts.store
    this.marks = new Marks(parts.store, parts.accounts.stored)
    this.#drops = parts.drops
    this.#features = parts.features
    this.#faults = parts.faults
    this.#slices = parts.slices
  }

  /**
   * Hands the message to everybody who subscribed to its topic. Answers the commit that makes all of it safe: at QoS 1, where it may
   * come twice, the last of those that very many subscribers need.
   */
  publish(message: Message): Commit {
    const matches = this.subscriptions.match(message.topic)
    if (this.subscriptions.hasBridges && !message.mark && goesSeveralWays(matches, message))
      message.mark = this.marks.next()
    let commit: Commit = noCommit
    if (message.retain && this.#features.retainAvailable) commit = later(commit, this.#retain(message)) // RETAIN 0 leaves what is kept alone [MQTT-3.3.1-12]
    message.goesTo(matches.length)
    for (const sketch of this.#sketches) sketch.add(message.topic, message.payloadBytes)
    for (let at = 0; at < matches.length; at++) {
      commit = later(commit, this.#deliver(message, matches[at]!))
      if (message.qos === 1 && at % subscribersOfPart === subscribersOfPart - 1) this.#store.endOfPart()
    }
    return message.mark ? later(commit, this.marks.note(message.mark, commit !== noCommit)) : commit
  }

  /** Has it count what is published from now on. @returns ends that. */
  watch(sketch: TopicSketch): () => void {
    this.#sketches = [...this.#sketches, sketch]
    return () => {
      this.#sketches = this.#sketches.filter((other) => other !== sketch)
    }
  }

  /** Whether somebody's session that outlives its connection gets what is published to the topic. */
  isKept(topic: string): boolean {
    return this.subscriptions.match(topic).some(({ subscriber }) => subscriber.durable)
  }

  /** Hands the message to one subscriber. If that fails, neither the publisher nor any other subscriber feels it. */
  #deliver(message: Message, match: Match): Commit {
    const { subscriber, own } = match
    const terms = own === 'same' || subscriber.clientId !== message.publisher ? match : own
    if (terms === undefined) return noCommit // its own message, and it asked for none of these [MQTT-3.8.3-3]
    try {
      return subscriber.deliver(message, terms)
    } catch (error) {
      this.#faults.contain(error, subscriber, 'delivering a message')
      return noCommit
    }
  }

  /** How many shared subscriptions there are: the members of all groups together. */
  get sharedSubscriptions(): number {
    return this.groups.memberships
  }

  /**
   * The retained messages that a new subscription is sent. While retained messages are not offered there are none: they are kept, and seen
   * by nobody.
   */
  retainedFor(filter: string, now: () => number): RetainedWalk {
    return this.#features.retainAvailable ? this.retained.match(filter, now) : nothing.values()
  }

  /** Removes retained messages whose time is over: some now, and when there are very many, the rest in the next turns. */
  sweep(now: number): void {
    this.inSlices(this.retained.expiredBy(now), (topic) => void this.forget(topic), 'removing what has expired')
  }

  /** Removes the retained message of a topic. */
  forget(topic: string): Commit {
    if (this.retained.get(topic)) this.#tellOfTopic('retained-deleted', topic)
    this.retained.delete(topic)
    return this.#store.setRetained(topic, undefined)
  }

  subscribe(filter: string, subscriber: Subscriber, grant: Grant): void {
    this.subscriptions.add(filter, subscriber, grant)
  }

  unsubscribe(filter: string, subscriber: Subscriber): void {
    this.subscriptions.delete(filter, subscriber)
  }

  /** Subscriptions of all sessions, each filter once a session. */
  get sessionSubscriptions(): number {
    return this.#sessionSubscriptions
  }

  /**
   * Subscribes a session; a shared filter makes it a member of its group.
   * @param isNew the session had no subscription with this filter.
   */
  join(filter: string, member: Member, grant: Grant, isNew = true): Commit {
    if (isNew) this.#sessionSubscriptions++
    if (this.changes.isWatched) this.changes.tell({ type: 'subscribed', clientId: member.clientId, filter })
    const shared = splitShared(filter)
    if (shared) return this.#group(filter, shared.filter).join(member, grant)
    this.subscribe(filter, member, grant)
    return noCommit
  }

  leave(filter: string, member: Member): Commit {
    this.#sessionSubscriptions--
    if (this.changes.isWatched) this.#tellLeft(filter, member)
    return this.#leave(filter, member)
  }

  #tellLeft(filter: string, { clientId }: Member): void {
    this.changes.tell({ type: 'unsubscribed', clientId, filter })
  }

  #leave(filter: string, member: Member): Commit {
    const group = splitShared(filter) && this.groups.get(filter)
    if (!group) {
      this.unsubscribe(filter, member)
      return noCommit
    }
    group.leave(member)
    return group.isEmpty ? this.#endGroup(group) : noCommit
  }

  /**
   * A session with these subscriptions has ended: it leaves some now, and when there are very many, the rest in the next turns.
   * Answers the commit of what was left at once: what is missing is made up for at the next start.
   */
  leaveAll(filters: SmallMap<string, Grant>, member: Member): Commit {
    this.#sessionSubscriptions -= filters.size
    if (this.changes.isWatched) for (const filter of filters.keys()) this.#tellLeft(filter, member)
    let commit: Commit = noCommit
    const leave = (filter: string): void => {
      commit = later(commit, this.#leave(filter, member))
    }
    this.inSlices(filters.keys(), leave, 'leaving the subscriptions of a session that has ended')
    return commit
  }

  /**
   * Begins a loop over what may be very much: some of it now, the rest in the next turns.
   * @param onDone called when all of it is done. Default: nobody asks.
   */
  inSlices<T>(items: Iterator<T>, each: (item: T) => void, doing: string, onDone?: () => void): void {
    const loop = new SlicedLoop(items, each, this.#slices, onDone)
    try {
      loop.goOn()
    } catch (error) {
      this.#faults.contain(error, loop, doing)
    }
  }

  /** Takes up what an earlier process retained. What there is no room for any more stays in the store, unseen, and is counted. */
  takeUp(message: Message): void {
    if (!this.retained.set(message)) this.#drops.report('retained-full', message.publisher)
  }

  /** Takes up the queues of shared groups, before their members come. */
  restoreGroups(groups: readonly RecoveredGroup[]): void {
    for (const group of groups) this.groups.getOrCreate(group.sharedFilter).restore(group)
  }

  /** All sessions are back: groups without members are over. */
  endEmptyGroups(): void {
    for (const group of this.groups.empty()) this.#endGroup(group)
  }

  #group(sharedFilter: string, filter: string): SharedGroup {
    const group = this.groups.getOrCreate(sharedFilter)
    if (group.isEmpty) this.subscribe(filter, group, plainGrant(2))
    return group
  }

  #endGroup(group: SharedGroup): Commit {
    this.unsubscribe(splitShared(group.sharedFilter)!.filter, group)
    return this.groups.delete(group)
  }

  /** An empty payload removes what is kept and is never kept itself [MQTT-3.3.1-10] [MQTT-3.3.1-11]. */
  #retain(message: Message): Commit {
    const { topic, payloadBytes, publisher, qos } = message
    if (payloadBytes === 0) return this.forget(topic)
    const { count } = this.retained
    const mayBeKept = !(qos === 0 && this.#store.isLow && !isSystemTopic(topic))
    if (mayBeKept && this.retained.set(message)) {
      this.#tellOfTopic('retained-set', topic)
      // What the broker tells about itself is true of this process only, and not worth the disk.
      return isSystemTopic(topic) ? noCommit : this.#store.setRetained(topic, message)
    }
    this.#drops.report('retained-full', publisher)
    if (this.retained.count < count) this.#tellOfTopic('retained-deleted', topic) // an older one is no longer true, and gone
    return this.#store.setRetained(topic, undefined)
  }

  #tellOfTopic(type: 'retained-set' | 'retained-deleted', topic: string): void {
    if (this.changes.isWatched && !isSystemTopic(topic)) this.changes.tell({ type, topic })
  }
}

/** Whether more than one bridge takes it on, besides the one that brought it: to others it comes more than one way. */
function goesSeveralWays(matches: readonly Match[], { publisher }: Message): boolean {
  let ways = 0
  for (const { isBridge, subscriber } of matches) {
    if (isBridge && subscriber.clientId !== publisher && ++ways > 1) return true
  }
  return false
}
