import type { QoS } from '@godwit/protocol'
import type { Basics } from '../basics.js'
import { type Commit, later, noCommit } from '../commit.js'
import type { Loan, Supply } from '../delivery/borrowing.js'
import { HeadExpiry } from '../delivery/head-expiry.js'
import type { Terms } from '../delivery/terms.js'
import { Numbers, packetIds, sentQos1 } from '../delivery/window.js'
import type { Message } from '../message.js'
import { MemorySessionStore } from '../store/memory.js'
import type { KeptMessage } from '../store/queue.js'
import type { OutgoingSource, OutgoingState, RecoveredGroup, SessionStore } from '../store/store.js'
import { Heap } from '../time/heap.js'
import type { Sliced } from '../time/slices.js'
import { GroupLoan } from './group-loan.js'
import { Ring } from './ring.js'
import type { Grant, Subscriber } from './subscriber.js'

/** Whoever has subscribed to a shared filter: a session's delivery. */
export interface Member extends Subscriber {
  readonly online: boolean
  /** How many messages would go out at once: it is online, and its window and its socket have room. */
  readonly room: number
  /** Asks the group for more once there is room, until it answers that nothing waits. */
  addSupply(group: Supply<Member>): void
  deleteSupply(group: Supply<Member>): void
  /** Takes a message at QoS 1 or 2, when there is {@link room}; without a loan it is the member's own from then on. */
  take(message: Message, terms: Terms, loan: Loan | undefined): Commit
}

/** What shared groups work with. */
export type GroupParts = Pick<
  Basics,
  'limits' | 'features' | 'store' | 'drops' | 'memory' | 'accounts' | 'faults' | 'slices' | 'time'
>

/** Expired messages passed over before others have their turn. */
const passedOverAtOnce = 500

const isReady = (member: Member): boolean => member.room > 0
const isOnline = (member: Member): boolean => member.online

/**
 * The members of one shared subscription (5.0, section 4.8.2), who get each message once between them. What nobody can
 * be sent at once waits in the group's own queue for the first who can. A QoS 1 message stays there until a member has
 * acknowledged it; a QoS 2 message is the member's alone once it is handed out [MQTT-4.8.2-4] [MQTT-4.8.2-5].
 */
export class SharedGroup implements Subscriber, Supply<Member>, OutgoingSource, Sliced {
  /** No Local does not exist here [MQTT-3.8.3-4]. */
  readonly clientId = ''
  /** With `$share` and the group's name. */
  readonly sharedFilter: string
  readonly #parts: GroupParts
  /** Counts the members of all groups together. */
  readonly #memberships: { count: number }
  readonly #members = new Map<Member, Grant>()
  /** In their order, the members that may have room. Whoever is found to have none is out until it asks. */
  readonly #ready = new Ring<Member>()
  /** In their order, the members that may have a connection: for messages at QoS 0. */
  readonly #online = new Ring<Member>()
  /** How many members have been granted each QoS. */
  readonly #granted = [0, 0, 0]
  #stored: SessionStore
  #durable = false
  #ended = false
  /** Numbers of messages that are handed out at QoS 1; from its `next` on, those that wait. */
  readonly #numbers = new Numbers()
  readonly #window = this.#numbers.window
  /** Numbers of messages that members have given back, lowest first. */
  readonly #returned = new Heap<number>((one, other) => one < other)
  readonly #headExpiry = new HeadExpiry()

  constructor(sharedFilter: string, parts: GroupParts, memberships: { count: number }) {
    this.sharedFilter = sharedFilter
    this.#parts = parts
    this.#memberships = memberships
    this.#stored = new MemorySessionStore(sharedFilter, parts.memory) // until a member comes that outlives its connection
    this.#stored.serves(this)
  }

  /** Takes up what an earlier process left: whatever was handed out may not have arrived. */
  restore({ stored, outgoing }: RecoveredGroup): void {
    this.#stored = stored
    this.#durable = true
    stored.serves(this)
    this.#numbers.restore(outgoing)
    const { head, next } = this.#window
    for (let number = head; number < next; number++) if (!this.isDone(number)) this.#returned.add(number)
  }

  get durable(): boolean {
    return this.#durable
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Members. */
  get size(): number {
    return this.#members.size
  }

  /** In the order in which they came, with what they were granted. */
  members(): Iterable<readonly [member: Member, grant: Grant]> {
    return this.#members
  }

  /** Messages that members have been handed out at QoS 1, and not acknowledged. */
  get lent(): number {
    return this.#window.inflight - this.#returned.size
  }

  get queuedBytes(): number {
    return this.#stored.queue.bytes
  }

  /** Messages that no member has. */
  get waiting(): number {
    return this.#numbers.waiting + this.#returned.size
  }

  get head(): number {
    return this.#window.head
  }

  state(): OutgoingState {
    const { head, next } = this.#window
    const handshakes = this.#window.handshakes()
    return { head, next, tail: this.#numbers.tail, handshakes, maxInflight: 0, mayHaveSentMore: false }
  }

  isDone(number: number): boolean {
    return this.#numbers.isDone(number)
  }

  mayExpire(number: number): boolean {
    return number >= this.#window.next
  }

  onExpired(messages: number): void {
    this.#numbers.removed(messages)
    for (let one = 0; one < messages; one++) this.#drop('expired')
  }

  /** Adds a member, or changes its grant. What waits is its to ask for. */
  join(member: Member, grant: Grant): Commit {
    this.#grantedBefore(member)
    this.#granted[grant.qos]!++
    if (!this.#members.has(member)) this.#memberships.count++
    this.#members.set(member, grant)
    member.addSupply(this)
    this.#mayHaveRoom(member)
    return member.durable && !this.#durable ? this.#becomeDurable() : noCommit
  }

  /** What it was handed out it still has, until its session ends [MQTT-3.10.4-3]. */
  leave(member: Member): void {
    this.#grantedBefore(member)
    if (this.#members.delete(member)) this.#memberships.count--
    member.deleteSupply(this)
    this.#ready.delete(member)
    this.#online.delete(member)
  }

  #grantedBefore(member: Member): void {
    const grant = this.#members.get(member)
    if (grant) this.#granted[grant.qos]!--
  }

  #mayHaveRoom(member: Member): void {
    if (!this.#members.has(member)) return
    this.#ready.add(member)
    this.#online.add(member)
  }

  isBack(member: Member): void {
    if (this.#members.has(member)) this.#online.add(member)
  }

  /** Without members it is nothing: what waited goes with it. */
  end(): Commit {
    this.#ended = true
    return this.#stored.delete()
  }

  deliver(message: Message): Commit {
    const isForQos0 = this.#granted[1] === 0 && this.#granted[2] === 0
    if (message.qos === 0 || isForQos0) return this.#deliverQos0(message)
    const member = this.waiting === 0 ? this.#nextReady() : undefined
    if (!member) return this.#enqueue(message)
    return this.#qosFor(member, message) === 1 ? this.#lendNew(member, message) : this.#give(member, message)
  }

  supply(member: Member, credit: number): number {
    let given = 0
    let left = passedOverAtOnce
    while (this.#hasNext() && left > 0) {
      if (given === credit || member.room === 0) return given
      if (this.#returned.size === 0 && this.#passGone() > 0) {
        left--
        continue
      }
      const number = this.#returned.take() ?? this.#window.next
      const entry = this.#stored.queue.get(number)
      if (entry && entry.message.expiresAt > this.#parts.time.expiryNow()) {
        this.#handOut(number, entry, member)
        given++
        continue
      }
      if (entry) this.#drop('expired') // [MQTT-3.3.2-5]
      this.#remove(number)
      left--
    }
    if (left === 0) this.#parts.slices.later(this)
    this.#mayHaveRoom(member)
    return given
  }

  /** Numbers whose messages are gone stay unused. Answers how many were passed over. */
  #passGone(): number {
    return this.#numbers.hasGone ? this.#numbers.passGone(this.#stored.queue) : 0
  }

  /** Something waits, and may be handed out. */
  #hasNext(): boolean {
    return this.#returned.size > 0 || (this.#window.next < this.#numbers.tail && this.#window.hasRoom(packetIds))
  }

  /** Delivers a message at QoS 0 to the next member that takes it, or to nobody. */
  #deliverQos0(message: Message): Commit {
    const member = this.#nextReady() ?? this.#online.take(isOnline)
    if (member) return this.#give(member, message)
    this.#drop('offline-qos0')
    return noCommit
  }

  #enqueue(message: Message): Commit {
    if (this.#isFull(message)) this.#makeRoom()
    if (this.#isFull(message)) this.#drop('queue-full')
    else if (this.#parts.accounts.stored.hasRoomFor(message.heldBytes)) return this.#put(message)
    else this.#drop('storage-full')
    return noCommit
  }

  #isFull({ heldBytes }: Message): boolean {
    const { maxQueuedMessages, maxQueuedBytes } = this.#parts.limits
    return this.waiting >= maxQueuedMessages || this.#stored.queue.bytes + heldBytes > maxQueuedBytes
  }

  /** Drops what has expired before a member could be sent it. */
  #makeRoom(): void {
    const window = this.#window
    const head = () => (window.next < this.#numbers.tail && window.hasRoom(packetIds) ? window.next : undefined)
    this.#headExpiry.clear(this.#stored.queue, head, this.#parts.time.expiryNow(), () => {
      this.#drop('expired')
      this.#remove(window.next)
    })
  }

  #put(message: Message): Commit {
    const { qos, retain } = message
    return this.#stored.queue.put(this.#numbers.tail++, { message, qos, retain, identifiers: undefined })
  }

  #lendNew(member: Member, message: Message): Commit {
    this.#passGone()
    if (!this.#window.hasRoom(packetIds) || this.#window.next < this.#numbers.tail) return this.#enqueue(message)
    const commit = this.#put(message)
    return later(commit, this.#lend(this.#window.send(1), member, message))
  }

  #lend(number: number, member: Member, message: Message): Commit {
    const loan = new GroupLoan(this, number, this.#parts.features.sharedHandOverAtDisconnect)
    const commit = this.#hand(member, message, loan)
    if (commit !== undefined) return commit
    loan.giveBack() // to whoever is next
    return noCommit
  }

  /** Gives a message to a member without a loan: it is the member's own from now on. */
  #give(member: Member, message: Message): Commit {
    return this.#hand(member, message, undefined) ?? noCommit
  }

  /** Hands a message to a member. `undefined`: that has failed; neither the publisher nor other members feel it. */
  #hand(member: Member, message: Message, loan: Loan | undefined): Commit | undefined {
    try {
      const terms = this.#termsOf(member)
      return this.#qosFor(member, message) === 0 ? member.deliver(message, terms) : member.take(message, terms, loan)
    } catch (error) {
      this.#ready.delete(member)
      this.#parts.faults.contain(error, member, 'delivering a message of a shared subscription')
      return undefined
    }
  }

  /** Hands a message that has waited to the member that asks. */
  #handOut(number: number, { message }: KeptMessage, member: Member): void {
    if (this.#qosFor(member, message) === 1) {
      if (number === this.#window.next) this.#window.send(1)
      this.#lend(number, member, message)
      return
    }
    // The group's queue lets it go in the commit in which the member has it, and it is sent after that commit: a crash in between must not
    // have it sent twice.
    message.waitFor(this.#stored.queue.release(number))
    this.#give(member, message)
    this.#remove(number)
  }

  /** A member has acknowledged what it was lent. */
  settle(number: number): void {
    if (this.#ended) return
    const wasFull = !this.#window.hasRoom(packetIds)
    this.#remove(number)
    if (wasFull) this.goOn()
  }

  /** A member gives back what it was lent. False: the group is over. */
  takeBack(number: number): boolean {
    if (this.#ended) return false
    this.#returned.add(number)
    this.goOn()
    return true
  }

  /** Hands out what waits, as far as members have room; when that is a lot, some of it now. */
  goOn(): void {
    const granted = this.#parts.slices.grant()
    let left = granted
    while (this.waiting > 0) {
      if (left === 0) {
        this.#parts.slices.later(this)
        break
      }
      left--
      const member = this.#nextReady()
      if (!member || this.supply(member, 1) === 0) break
    }
    this.#parts.slices.used(granted - left)
  }

  /** A group has no connection that could end. */
  onFault(): void {}

  /** Takes a message out of the group's queue: it is done, or a member's own. */
  #remove(number: number): void {
    const { queue } = this.#stored
    const window = this.#window
    if (number === window.next) window.skip()
    else if (window.state(number) === sentQos1) window.settle(number)
    queue.delete(number)
  }

  /** The next member in turn that has room. Those that have none ask when they have. */
  #nextReady(): Member | undefined {
    return this.#ready.take((member) => {
      if (isReady(member)) return true
      member.addSupply(this)
      return false
    })
  }

  /** The member's own QoS, not the group's [MQTT-4.8.2-3]. */
  #qosFor(member: Member, { qos }: Message): QoS {
    const granted = this.#members.get(member)!.qos
    return qos < granted ? qos : granted
  }

  #termsOf(member: Member): Terms {
    const { qos, retainAsPublished, identifier } = this.#members.get(member)!
    return { qos, retainAsPublished, identifiers: identifier > 0 ? [identifier] : undefined }
  }

  /** The first member whose session outlives its connection has come: from here on the group's queue is kept in the store. */
  #becomeDurable(): Commit {
    const before = this.#stored
    this.#durable = true
    this.#stored = this.#parts.store.group(this.sharedFilter)
    this.#stored.serves(this)
    let commit = this.#stored.disconnected(Number.POSITIVE_INFINITY)
    for (let number = this.#window.head; number < this.#numbers.tail; number++) {
      const entry = before.queue.get(number)
      if (entry) commit = later(commit, this.#stored.queue.put(number, entry))
    }
    before.delete()
    return commit
  }

  #drop(reason: 'expired' | 'queue-full' | 'storage-full' | 'offline-qos0'): void {
    this.#parts.drops.report(reason, this.sharedFilter)
  }
}
