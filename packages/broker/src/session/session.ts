import type { Will } from '@godwit/protocol'
import { type Commit, later, noCommit } from '../commit.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Owner } from '../faults.js'
import type { ClientInfo } from '../hooks/client-info.js'
import type { MaybeAsync } from '../maybe-async.js'
import type { Message } from '../message.js'
import type { RetainedWalk } from '../router/retained.js'
import type { Router } from '../router/router.js'
import type { Grant } from '../router/subscriber.js'
import { SmallMap } from '../small-map.js'
import type { RecoveredSession, SessionStore } from '../store/store.js'
import type { Peer } from '../transport/transport.js'
import { type ChangedPage, PacketSums } from './packet-sums.js'
import { ReceivedIds, receivedPageOf } from './received-ids.js'

/** What can be told of a connection. */
export interface ConnectionFacts {
  readonly client: ClientInfo
  readonly peer: Peer
  /** Epoch ms, to the second. */
  readonly connectedAt: number
  /** The Keep Alive in force; 0: none. */
  readonly keepAliveSeconds: number
  /** Bytes that wait for the client's socket. */
  readonly outboxBytes: number
}

/** The connection a session is used by, or the program around the broker. */
export interface SessionUser extends Owner {
  readonly facts: ConnectionFacts
  /** It has ended, and uses no session. */
  readonly closed: boolean
  /** It is the program around the broker: nobody takes its session over. Left out: a network connection. */
  readonly isInside?: true
  /** Another connection has come with the same Client Identifier: closes, with all that a close entails [MQTT-3.1.4-2]. */
  takeOver(): MaybeAsync<void>
  /**
   * Ends the connection in order, after what has been sent. With a reason code, a client of 5.0 is told it, and why in
   * words if it wants them.
   */
  end(why: string, reasonCode?: number, serverReference?: string): void
  /** The hooks were replaced: others decide from now on what it may be sent. Left out: nobody decides that. */
  onHooksReplaced?(): void
  /** Nothing goes to it any more, from this moment on. @returns what is left to be done, once all others are cut off too. */
  cutOff(why: string): () => void
}

/** A session's subscriptions by filter, to be looked at. */
export type Subscribed = Pick<SmallMap<string, Grant>, 'size' | 'has' | 'get' | 'keys'> &
  Iterable<readonly [string, Grant]>

const noSubscriptions = new SmallMap<string, Grant>()
/** Where sums of messages stand in the store: behind the pages of received ids. */
const firstSumPage = 64

/** What the standard calls Session state (3.1.1, section 3.1.2.4), server side. */
export class Session implements Owner {
  readonly clientId: string
  readonly delivery: Delivery
  readonly stored: SessionStore
  user: SessionUser | undefined
  /** Seconds it lives on without a connection; 0: it ends with it. */
  expirySeconds: number
  /** Published when the connection ends without a DISCONNECT that discards it, or when its delay is over [MQTT-3.1.2-8]. */
  will: Will | undefined
  /** What DISCONNECT has changed: the end of the connection waits for this commit, or a crash would undo it. */
  parting: Commit = noCommit
  readonly #router: Router
  /** Made with the first subscription: many clients only publish. */
  #subscriptions: SmallMap<string, Grant> | undefined
  /** Filters whose retained messages have not all been sent, as it stands in the store. */
  #owed: Set<string> | undefined
  /** Made with the first message at QoS 2. */
  #received: ReceivedIds | undefined
  /** Made with the first message that brings one. */
  #sums: PacketSums | undefined

  constructor(delivery: Delivery, stored: SessionStore, router: Router, expirySeconds: number) {
    this.clientId = delivery.clientId
    this.expirySeconds = expirySeconds
    this.delivery = delivery
    this.stored = stored
    this.#router = router
    stored.serves(delivery)
  }

  /** Something that was done for the session has failed: its connection ends, and the client has to come back. */
  onFault(): void {
    this.user?.onFault()
  }

  get subscriptions(): Subscribed {
    return this.#subscriptions ?? noSubscriptions
  }

  /** Takes up what an earlier process left. */
  restore({ subscriptions, owed, received }: RecoveredSession, now: () => number): void {
    for (const [filter, grant] of subscriptions) {
      this.#join(filter, grant)
    }
    for (const [page, bytes] of received) {
      if (page < firstSumPage) this.#receivedIds().restore(page, bytes)
      else this.#packetSums().restore(page - firstSumPage, bytes)
    }
    const sent = owed.length > 0 ? topicsUnderWay(this.delivery) : noTopics
    for (const filter of owed) {
      this.#owe(filter)
      this.replay(filter, unsent(this.#router.retainedFor(filter, now), sent))
    }
  }

  /** @param owed retained messages are to follow at QoS 1 or 2: the store notes that, so that a crash in between does not lose them. */
  subscribe(filter: string, grant: Grant, owed: boolean): Commit {
    const isNew = !this.subscriptions.has(filter)
    const joined = this.#join(filter, grant)
    if (owed) this.#owe(filter)
    else if (grant.qos === 0) this.#owed?.delete(filter)
    return later(joined, this.stored.setSubscription(filter, grant, this.#owed?.has(filter) ?? false, isNew))
  }

  /** Sends what is retained because of a subscription, if that is still there. */
  replay(filter: string, messages: Iterator<Message | undefined>): void {
    const grant = this.#subscriptions?.get(filter)
    if (!grant) return
    const { qos, identifier, noLocal } = grant
    const terms = { qos, identifiers: identifier > 0 ? [identifier] : undefined }
    const wanted = noLocal ? ofOthers(messages, this.clientId) : messages
    this.delivery.replay(filter, wanted, terms, () => this.#replayed(filter))
  }

  unsubscribe(filter: string): Commit {
    if (!this.#subscriptions?.delete(filter)) return noCommit
    this.#owed?.delete(filter)
    const left = this.#router.leave(filter, this.delivery)
    this.delivery.cancelReplay(filter)
    return later(left, this.stored.deleteSubscription(filter))
  }

  /** A QoS 2 message is taken over: a repeat of this id is answered, not delivered again [MQTT-4.3.3-2]. */
  receive(packetId: number): Commit {
    const received = this.#receivedIds()
    received.add(packetId)
    return this.#receivedChanged(received, packetId)
  }

  /** Whether a QoS 2 message with this id was received, and the client has not released it. */
  hasReceived(packetId: number): boolean {
    return this.#received?.has(packetId) ?? false
  }

  /** The client has released the id: it is free for a new message. False: it was not received. */
  release(packetId: number): Commit | false {
    const received = this.#received
    if (!received?.delete(packetId)) return false
    return this.#receivedChanged(received, packetId)
  }

  /**
   * What the message was that came under this id, in short, as the client says; kept also when the id is free again, until another message
   * comes under it.
   */
  remember(packetId: number, sum: number): Commit {
    return this.#sumsChanged(this.#packetSums().set(packetId, sum))
  }

  /** What the last message was under this id; `undefined`: that is not known. */
  sumOf(packetId: number): number | undefined {
    return this.#sums?.of(packetId)
  }

  /** The client has a new session on the other side, say: its ids mean nothing any more. */
  forgetSums(): Commit {
    return this.#sumsChanged(this.#sums?.clear() ?? [])
  }

  /** Nothing of it is left, here or in the store. */
  end(): Commit {
    const subscriptions = this.#subscriptions ?? noSubscriptions
    this.#subscriptions = undefined
    let commit: Commit = noCommit
    try {
      this.delivery.end()
      commit = this.stored.delete()
    } finally {
      commit = later(commit, this.#router.leaveAll(subscriptions, this.delivery)) // or it would stay in the router for ever
    }
    return commit
  }

  #join(filter: string, grant: Grant): Commit {
    this.#subscriptions ??= new SmallMap()
    const isNew = this.#subscriptions.set(filter, grant)
    return this.#router.join(filter, this.delivery, grant, isNew)
  }

  #owe(filter: string): void {
    this.#owed ??= new Set()
    this.#owed.add(filter)
  }

  #replayed(filter: string): void {
    if (this.#owed?.delete(filter)) this.stored.setSubscription(filter, this.#subscriptions!.get(filter)!, false, false)
  }

  #receivedIds(): ReceivedIds {
    this.#received ??= new ReceivedIds()
    return this.#received
  }

  #packetSums(): PacketSums {
    this.#sums ??= new PacketSums()
    return this.#sums
  }

  #sumsChanged(pages: readonly ChangedPage[]): Commit {
    let commit: Commit = noCommit
    for (const [page, sums] of pages) commit = later(commit, this.stored.setReceived(firstSumPage + page, sums))
    return commit
  }

  #receivedChanged(received: ReceivedIds, packetId: number): Commit {
    const page = receivedPageOf(packetId)
    return this.stored.setReceived(page, received.page(page))
  }
}

const noTopics: ReadonlySet<string> = new Set()

/** Topics of retained messages that were sent and are not done: they are in the queue. */
function topicsUnderWay({ window, queue }: Delivery): ReadonlySet<string> {
  const topics = new Set<string>()
  for (let number = window.head; number < window.next; number++) {
    const entry = queue.get(number)
    if (entry?.retain) topics.add(entry.message.topic)
  }
  return topics
}

/** Without those that the client published itself [MQTT-3.8.3-3]. */
function* ofOthers(
  messages: Iterator<Message | undefined>,
  clientId: string,
): Generator<Message | undefined, undefined> {
  for (let next = messages.next(); !next.done; next = messages.next()) {
    yield next.value?.publisher === clientId ? undefined : next.value
  }
}

/**
 * The part of a replay that is sent anew after a crash: without topics that are in the queue already, and without QoS 0, which may have
 * been sent.
 */
function* unsent(walk: RetainedWalk, topics: ReadonlySet<string>): Generator<Message | undefined, undefined> {
  for (let next = walk.next(); !next.done; next = walk.next()) {
    const message = next.value
    yield message && message.qos > 0 && !topics.has(message.topic) ? message : undefined
  }
}
