import { splitShared } from '@godwit/protocol'
import type { Changes } from '../changes.js'
import type { Commit } from '../commit.js'
import type { Drops } from '../drops.js'
import type { Message } from '../message.js'
import type { RecoveredGroup, Store } from '../store/store.js'
import type { RetainedMessages } from './retained.js'
import type { Member, SharedGroup, SharedGroups } from './shared-groups.js'
import { type Grant, plainGrant, type Subscriber } from './subscriber.js'
import { Subscriptions } from './subscriptions.js'
import { isSystemTopic } from './system-topics.js'
import type { TopicSketch } from './topic-sketch.js'

/** What the router works with; the broker joins them. */
export interface RouterParts {
  readonly retained: RetainedMessages
  readonly groups: SharedGroups
  readonly store: Store
  readonly drops: Drops
  readonly changes: Changes
  readonly retainAvailable: boolean
}

/** Decides who gets a message, and keeps what is retained. */
export class Router {
  readonly subscriptions: Subscriptions = new Subscriptions()
  readonly retained: RetainedMessages
  readonly changes: Changes
  /** Subscriptions of all sessions, each filter once a session; sessions keep it. */
  sessionSubscriptions = 0
  /** Counts what is published, while somebody looks. */
  sketches: readonly TopicSketch[] | undefined
  readonly #groups: SharedGroups
  readonly #store: Store
  readonly #drops: Drops
  readonly #retainAvailable: boolean

  constructor(parts: RouterParts) {
    this.retained = parts.retained
    this.changes = parts.changes
    this.#groups = parts.groups
    this.#store = parts.store
    this.#drops = parts.drops
    this.#retainAvailable = parts.retainAvailable
  }

  /** Hands the message to everybody who subscribed to its topic. Answers the commit that makes all of it safe. */
  publish(message: Message): Commit {
    let commit = message.retain && this.#retainAvailable ? this.#retain(message) : 0 // RETAIN 0 leaves what is kept alone [MQTT-3.3.1-12]
    const matches = this.subscriptions.match(message.topic)
    message.isForMany = matches.length > 1
    if (this.sketches !== undefined) for (const sketch of this.sketches) sketch.add(message.topic, message.payloadBytes)
    for (let at = 0; at < matches.length; at++) {
      const match = matches[at]!
      const { subscriber, own } = match
      const terms = own === 'same' || subscriber.clientId !== message.publisher ? match : own
      if (terms === undefined) continue // its own message, and it asked for none of these [MQTT-3.8.3-3]
      const needed = subscriber.deliver(message, terms)
      if (needed > commit) commit = needed
    }
    return commit
  }

  /** Whether somebody's session that outlives its connection gets what is published to the topic. */
  isKept(topic: string): boolean {
    return this.subscriptions.match(topic).some(({ subscriber }) => subscriber.durable)
  }

  /** Those of all members of all shared groups. */
  get sharedSubscriptions(): number {
    return this.#groups.memberships
  }

  /** Removes retained messages whose time is over. */
  sweep(now: number): void {
    for (const topic of this.retained.expired(now)) this.forget(topic)
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

  /** Subscribes a session; a shared filter makes it a member of its group. */
  join(filter: string, member: Member, grant: Grant): Commit {
    if (this.changes.isWatched) this.changes.tell({ type: 'subscribed', clientId: member.clientId, filter })
    const shared = splitShared(filter)
    if (shared) return this.#group(filter, shared.filter).join(member, grant)
    this.subscribe(filter, member, grant)
    return 0
  }

  leave(filter: string, member: Member): Commit {
    if (this.changes.isWatched) this.changes.tell({ type: 'unsubscribed', clientId: member.clientId, filter })
    const group = splitShared(filter) && this.#groups.get(filter)
    if (!group) {
      this.unsubscribe(filter, member)
      return 0
    }
    group.leave(member)
    return group.isEmpty ? this.#endGroup(group) : 0
  }

  /** Takes up the queues of shared groups, before their members come. */
  restoreGroups(groups: readonly RecoveredGroup[]): void {
    for (const group of groups) this.#groups.getOrCreate(group.sharedFilter).restore(group)
  }

  /** All sessions are back: groups without members are over. */
  endEmptyGroups(): void {
    for (const group of this.#groups.empty()) this.#endGroup(group)
  }

  #group(sharedFilter: string, filter: string): SharedGroup {
    const group = this.#groups.getOrCreate(sharedFilter)
    if (group.isEmpty) this.subscribe(filter, group, plainGrant(2))
    return group
  }

  #endGroup(group: SharedGroup): Commit {
    this.unsubscribe(splitShared(group.sharedFilter)!.filter, group)
    return this.#groups.delete(group)
  }

  /** An empty payload removes what is kept and is never kept itself [MQTT-3.3.1-10] [MQTT-3.3.1-11]. */
  #retain(message: Message): Commit {
    const isKept =
      message.payloadBytes > 0 && !(message.qos === 0 && this.#store.isLow && !isSystemTopic(message.topic))
    if (isKept && this.retained.set(message)) {
      this.#tellOfTopic('retained-set', message.topic)
      // What the broker tells about itself is true of this process only, and not worth the disk.
      return isSystemTopic(message.topic) ? 0 : this.#store.setRetained(message.topic, message)
    }
    if (message.payloadBytes > 0) this.#drops.report('retained-full', message.publisher)
    return this.forget(message.topic)
  }

  #tellOfTopic(type: 'retained-set' | 'retained-deleted', topic: string): void {
    if (this.changes.isWatched && !isSystemTopic(topic)) this.changes.tell({ type, topic })
  }
}
