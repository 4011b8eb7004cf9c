import type { Basics } from '../basics.js'
import { type Commit, later, noCommit } from '../commit.js'
import type { Message } from '../message.js'
import type { DropReason } from '../metrics.js'
import type { Queue, QueuedMessage } from '../store/queue.js'
import type { OutgoingSource, OutgoingState, RecoveredSession } from '../store/store.js'
import type { Sliced } from '../time/slices.js'
import { Borrowing, type Loan, type Supply } from './borrowing.js'
import { HeadExpiry } from './head-expiry.js'
import { type Replayed, Replays } from './replays.js'
import { Resending } from './resending.js'
import type { Sink } from './sink.js'
import type { ReplayTerms, Terms } from './terms.js'
import { type Handshake, Numbers, packetIdOf, released, sentQos1, sentQos2, type Window } from './window.js'

export interface DeliveryOptions {
  /** Of the client it delivers to. */
  readonly clientId: string
  readonly queue: Queue
  /** Whether the session outlives its connection: then a message stays in the queue until it is acknowledged. */
  readonly durable: boolean
  readonly parts: DeliveryParts
}

/** What the deliveries of all sessions work with. */
type DeliveryParts = Pick<Basics, 'limits' | 'accounts' | 'store' | 'slices' | 'time' | 'drops'>

/** Messages from the queue that are sent, or found to have expired, before others have their turn. */
const sentAtOnce = 1_000

/**
 * Gets one session's messages to its client: numbers them, keeps what cannot be sent yet, sends within the in-flight
 * window, and sends again after a reconnection. It knows no socket and has no clock of its own; a
 * {@link Sink} takes what it sends.
 */
export class Delivery implements OutgoingSource, Sliced {
  readonly clientId: string
  readonly window: Window
  readonly queue: Queue
  readonly durable: boolean
  readonly #parts: DeliveryParts
  #sink: Sink | undefined
  #maxInflight = 0
  readonly #numbers = new Numbers()
  #replays: Replays | undefined
  /** After a reconnection, until all that was open is out again. */
  #resending: Resending | undefined
  /** An earlier process may have sent messages that its last commit does not know of: no more than its window took. */
  #mayHaveSent = false
  /** What it has of shared groups, when it is a member of any. */
  #borrowing: Borrowing<Delivery> | undefined
  /** Shared QoS 1 messages below this number were lent by an earlier process; the group's queue has them. */
  #lentBefore = 0
  /** Made when the queue is full for the first time. */
  #headExpiry: HeadExpiry | undefined
  /** The session is over; it may take some turns until it is out of all that it subscribed to. */
  #ended = false

  constructor(options: DeliveryOptions) {
    this.#parts = options.parts
    this.window = this.#numbers.window
    this.clientId = options.clientId
    this.queue = options.queue
    this.durable = options.durable
  }

  /** A connection takes what is sent. */
  get online(): boolean {
    return this.#sink !== undefined
  }

  /** How many messages would go out at once, as far as the window goes. */
  get room(): number {
    return this.waiting === 0 && this.#ready() ? this.window.room(this.#maxInflight) : 0
  }

  /** Messages that have not been sent. */
  get waiting(): number {
    return this.#numbers.waiting
  }

  get head(): number {
    return this.window.head
  }

  get tail(): number {
    return this.#numbers.tail
  }

  /** Takes up what an earlier process left. One that was connected then may have been sent more than was written down. */
  restore({ outgoing, expiresAt }: RecoveredSession): void {
    this.#numbers.restore(outgoing)
    this.#mayHaveSent = outgoing.mayHaveSentMore || expiresAt === undefined
    this.#lentBefore = outgoing.tail
    this.#maxInflight = outgoing.maxInflight
  }

  state(): OutgoingState {
    const { head, next } = this.window
    const handshakes = this.window.handshakes()
    return {
      head,
      next,
      tail: this.tail,
      handshakes,
      maxInflight: this.#maxInflight,
      mayHaveSentMore: this.#mayHaveSent,
    }
  }

  mayExpire(number: number): boolean {
    if (number < this.window.next) return false // Expiry is not for what was sent [MQTT-4.3.3-7].
    if (this.#mayHaveSent) this.#countAsSent()
    return number >= this.window.next
  }

  onExpired(messages: number): void {
    this.#numbers.removed(messages)
    for (let one = 0; one < messages; one++) this.#parts.drops.report('expired', this.clientId)
  }

  isDone(number: number): boolean {
    return this.#numbers.isDone(number)
  }

  onFault(): void {
    this.#sink?.onFault()
  }

  /** A message matched subscriptions of this session, on these terms. Answers the commit that makes it safe. */
  deliver(message: Message, terms: Terms): Commit {
    if (this.#ended) return noCommit
    const qos = message.qos < terms.qos ? message.qos : terms.qos // [MQTT-3.8.4-6]
    // Towards a subscription that was there before the message RETAIN is 0, unless it asked for it [MQTT-3.3.1-9].
    const retain = message.retain && terms.retainAsPublished
    const entry = { message, qos, retain, identifiers: terms.identifiers }
    return qos === 0 ? this.#deliverQos0(entry) : this.#accept(entry)
  }

  /** It has become a member of a shared group, or had no room when asked: it asks the group for more once there is room. */
  addSupply(supply: Supply<Delivery>): void {
    this.#borrowing ??= new Borrowing()
    this.#borrowing.addSupply(supply)
  }

  deleteSupply(supply: Supply<Delivery>): void {
    this.#borrowing?.deleteSupply(supply)
  }

  /**
   * A shared group hands a message over at QoS 1 or 2, to be sent at once: only when there is {@link room}. With a loan it stays
   * the group's. A session that lives on keeps a copy, or it could not send it again.
   */
  take(message: Message, terms: Terms, loan: Loan | undefined): Commit {
    const qos = message.qos < terms.qos ? message.qos : terms.qos
    const retain = message.retain && terms.retainAsPublished
    const entry = { message, qos, retain, identifiers: terms.identifiers, shared: true }
    const refusal = this.#sink!.refusal(entry)
    if (refusal) {
      this.#parts.drops.report(refusal, this.clientId) // and treated as delivered [MQTT-3.1.2-25]
      loan?.settle()
      return noCommit
    }
    this.#borrowing?.lent(this.tail, loan)
    return this.#accept(entry)
  }

  /**
   * Retained messages for a new subscription, from the start if they were under way: {@link pump} sends them, as fast as
   * the client takes them, and says when all of them are with it or in the queue.
   */
  replay(filter: string, messages: Iterator<Message | undefined>, terms: ReplayTerms, onDone: () => void): void {
    this.#replays ??= new Replays()
    this.#replays.add(filter, messages, terms, onDone)
  }

  cancelReplay(filter: string): void {
    this.#replays?.delete(filter)
  }

  /** A connection is there: everything unfinished goes out again in its first order [MQTT-4.4.0-1] [MQTT-4.6.0-1]. */
  attach(sink: Sink, maxInflight: number): void {
    if (this.#mayHaveSent) this.#countAsSent() // by the window there was
    this.#sink = sink
    this.#maxInflight = maxInflight
    const { head, next } = this.window
    this.#resending = head < next ? new Resending(head) : undefined
    this.#borrowing?.isBack(this)
    this.pump()
  }

  /** The connection is gone. */
  detach(): void {
    this.#sink = undefined
    this.#giveBack((loan) => loan.endsWithConnection)
    this.window.rest()
    this.queue.rest()
  }

  /** The session is over: what it had of shared groups goes to others, but for QoS 2 [MQTT-4.8.2-5]. */
  end(): void {
    this.#ended = true
    this.#giveBack(() => true)
    for (let number = this.window.head; number < this.window.next; number++) {
      if (this.window.state(number) !== sentQos2) continue
      if (this.#borrowing?.has(number) || this.queue.get(number)?.shared)
        this.#parts.drops.report('shared-member-gone', this.clientId)
    }
    this.#borrowing?.clear()
  }

  #giveBack(which: (loan: Loan) => boolean): void {
    this.#borrowing?.giveBack(which, (number) => this.#forget(number))
  }

  /** PUBACK. False: it belongs to nothing that waits for it. */
  acknowledge(packetId: number): boolean {
    return this.#settle(packetId, sentQos1)
  }

  /**
   * PUBREC. Answers the commit PUBREL waits for; `wrong` when the id is taken by a QoS 1 message, `repeated` when it is
   * released already, `unknown` when it belongs to nothing: PUBREL then lets the client end its handshake.
   */
  release(packetId: number): Commit | 'wrong' | 'repeated' | 'unknown' {
    const number = this.window.numberOf(packetId)
    if (number === 0) return 'unknown'
    const state = this.window.state(number)
    if (state === sentQos1) return 'wrong'
    if (state !== sentQos2) return 'repeated'
    this.#borrowing?.keep(number)
    this.window.release(number)
    return this.durable ? this.queue.release(number) : noCommit
  }

  /** PUBREC that refuses: the message is done [MQTT-4.4.0-2]. False: it belongs to nothing that waits for it. */
  refuse(packetId: number): boolean {
    return this.#settle(packetId, sentQos2)
  }

  /** PUBCOMP. False: it belongs to nothing that waits for it. */
  complete(packetId: number): boolean {
    return this.#settle(packetId, released)
  }

  /** Sends what waits, while the window and the socket have room. */
  pump(): void {
    if (this.#sink && this.#resending) this.#goAgain(this.#sink, this.#resending)
    for (let left = sentAtOnce; this.waiting > 0 && this.#ready(); left--) {
      if (left === 0) return this.#later()
      this.#sendNext(this.#sink!)
    }
    if (this.waiting === 0 && this.window.inflight === 0 && this.#sink) this.#settleQueue()
    if (this.#replays) this.#replaySome(this.#replays)
    if (this.#borrowing?.askForMore(this)) this.#later()
  }

  /** There is more to send than one turn should take. */
  #later(): void {
    this.#parts.slices.later(this)
  }

  goOn(): void {
    if (this.#sink) this.pump()
  }

  /** Everything from before is out again, and there is room in the window and in the socket. */
  #ready(): boolean {
    return (
      this.#sink !== undefined &&
      this.#resending === undefined &&
      !this.#sink.full &&
      this.window.hasRoom(this.#maxInflight)
    )
  }

  #deliverQos0(entry: QueuedMessage): Commit {
    const drop = !this.#sink ? 'offline-qos0' : this.#sink.full ? 'slow-consumer' : this.#sink.refusal(entry)
    if (drop) this.#parts.drops.report(drop, this.clientId)
    else this.#sink!.publish(entry, false, 0, entry.message.commit)
    return noCommit
  }

  #accept(entry: QueuedMessage): Commit {
    const numbers = this.#numbers
    if (numbers.hasGone && this.waiting === 0) numbers.passGone(this.queue) // the next number to send is that of this message
    const sendNow = this.waiting === 0 && !numbers.hasGone && this.#ready()
    const refusal = sendNow ? this.#sink!.refusal(entry) : undefined
    if (refusal) {
      this.#parts.drops.report(refusal, this.clientId) // and treated as delivered [MQTT-3.1.2-25]
      return noCommit
    }
    if (!sendNow && this.#queueIsFull(entry.message) && !this.#makeRoom(entry.message)) {
      this.#parts.drops.report('queue-full', this.clientId) // the new one: what was accepted before keeps its place and its order
      return noCommit
    }
    if (!(sendNow && !this.durable) && !this.#parts.accounts.stored.hasRoomFor(entry.message.heldBytes)) {
      this.#parts.drops.report('storage-full', this.clientId)
      return noCommit
    }
    const number = numbers.tail++
    // What a session without a future has sent needs no keeping: it is never sent twice.
    const commit = sendNow && !this.durable ? noCommit : this.queue.put(number, entry)
    if (sendNow) this.#send(entry, commit)
    return commit
  }

  #queueIsFull(message: Message): boolean {
    return (
      this.waiting >= this.#parts.limits.maxQueuedMessages ||
      this.queue.bytes + message.heldBytes > this.#parts.limits.maxQueuedBytes
    )
  }

  /** Drops what has expired before anybody could be sent it. Answers whether that is enough. */
  #makeRoom(message: Message): boolean {
    if (this.#mayHaveSent) return false
    const { window } = this
    const head = () => (this.waiting > 0 && window.hasRoom(Number.POSITIVE_INFINITY) ? window.next : undefined)
    this.#headExpiry ??= new HeadExpiry()
    this.#headExpiry.clear(this.queue, head, this.#parts.time.expiryNow(), () => this.#skipNext('expired'))
    return !this.#queueIsFull(message)
  }

  /** The next one from the queue, unless it has become undeliverable there: then its number stays unused. */
  #sendNext(sink: Sink): void {
    if (this.#numbers.hasGone) this.#numbers.passGone(this.queue)
    const number = this.window.next
    if (number === this.tail || !this.window.hasRoom(this.#maxInflight)) return
    const entry = this.queue.get(number)
    const drop = entry && this.#undeliverable(entry, sink)
    if (entry && !drop) {
      this.#send(entry, entry.commit)
      if (!this.durable) this.queue.delete(number)
      return
    }
    this.#skipNext(drop)
  }

  /** Nothing waits and nothing is open: numbers that are gone at the end are over, and so is whatever cannot be found. */
  #settleQueue(): void {
    this.#numbers.passAll(this.queue) // if more is there than was counted, that goes out now
    if (this.waiting === 0 && this.durable && this.queue.messages > 0) this.queue.settle()
  }

  #skipNext(drop: DropReason | undefined): void {
    if (drop) {
      this.#parts.drops.report(drop, this.clientId)
      this.queue.delete(this.window.next)
    }
    this.window.skip()
  }

  #undeliverable(entry: QueuedMessage, sink: Sink): DropReason | undefined {
    if (entry.message.expiresAt <= this.#parts.time.expiryNow()) return 'expired' // [MQTT-3.3.2-5]
    return sink.refusal(entry)
  }

  #send(entry: QueuedMessage, commit: Commit): void {
    const number = this.window.send(entry.qos)
    this.#sink!.publish(entry, false, packetIdOf(number), this.#mustWaitFor(entry, commit))
  }

  #goAgain(sink: Sink, resending: Resending): void {
    const resend = (number: number): boolean => this.#resend(number, sink)
    const pubrel = (packetId: number): void => sink.pubrel(packetId)
    if (resending.goOn(this.window, this.#maxInflight, { resend, pubrel })) this.#resending = undefined
  }

  /** False: it cannot be, and is done. */
  #resend(number: number, sink: Sink): boolean {
    const entry = this.queue.get(number)
    const refusal = entry && sink.refusal(entry)
    if (entry?.shared && entry.qos === 1 && number < this.#lentBefore) this.#forget(number)
    else if (!entry) this.#lost(number)
    else if (refusal)
      this.#giveUp(number, refusal) // this connection takes less than the one before
    else {
      sink.publish(entry, true, packetIdOf(number), this.#mustWaitFor(entry, entry.commit)) // [MQTT-3.3.1-1]
      return true
    }
    return false
  }

  /**
   * QoS 1 may leave before its commit: a repeat after a crash is allowed. QoS 2 may not, nor before its publisher's handshake is
   * safe: a publisher that repeats it would make it twice.
   */
  #mustWaitFor({ qos, message }: QueuedMessage, commit: Commit): Commit {
    const needed = later(commit, message.commit)
    return qos === 1 ? this.#parts.store.beforeQos1(needed) : needed
  }

  /** Its message cannot be read any more: it is done, as far as that goes. */
  #lost(number: number): void {
    this.window.settle(number)
    this.#borrowing?.settle(number)
  }

  /** Cannot be sent again: as if it had been delivered [MQTT-3.1.2-25]. */
  #giveUp(number: number, reason: DropReason): void {
    this.#parts.drops.report(reason, this.clientId)
    this.#forget(number)
    this.#borrowing?.settle(number)
  }

  /** Whatever fits the window may have been sent before the crash: it goes out again, with DUP. */
  #countAsSent(): void {
    this.#mayHaveSent = false
    while (this.waiting > 0 && this.window.hasRoom(this.#maxInflight)) {
      if (this.#numbers.hasGone) this.#numbers.passGone(this.queue)
      if (this.waiting === 0 || !this.window.hasRoom(this.#maxInflight)) return
      const entry = this.queue.get(this.window.next)
      if (entry) this.window.send(entry.qos)
      else this.window.skip()
    }
  }

  /** Some of what is retained: with a hundred thousand messages to look at, the others have their turn in between. */
  #replaySome(replays: Replays): void {
    const hasRoom = (): boolean => this.waiting === 0 && this.#ready()
    if (replays.goOn(this.#parts.slices, hasRoom, (next) => this.#replay(next))) this.#later()
    if (replays.isEmpty) this.#replays = undefined
  }

  #replay({ message, terms }: Replayed): void {
    const qos = message.qos < terms.qos ? message.qos : terms.qos
    const entry = { message, qos, retain: true, identifiers: terms.identifiers } // RETAIN 1 [MQTT-3.3.1-8]
    if (qos === 0) this.#deliverQos0(entry)
    else this.#accept(entry)
  }

  #settle(packetId: number, expected: Handshake): boolean {
    const number = this.window.numberOf(packetId)
    if (number === 0 || this.window.state(number) !== expected) return false
    this.#forget(number)
    this.#borrowing?.settle(number)
    this.pump()
    return true
  }

  /** The number is done with. */
  #forget(number: number): void {
    if (this.durable) this.queue.delete(number)
    this.window.settle(number)
    this.#resending?.settle(number)
  }
}
