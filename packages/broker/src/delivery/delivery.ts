import type { QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Message } from '../message.js'
import type { DropReason } from '../metrics.js'
import type { Queue } from '../store/queue.js'
import type { OutgoingSource, OutgoingState, RecoveredSession } from '../store/store.js'
import type { Sink } from './sink.js'
import { packetIdOf, released, sentQos1, sentQos2, settled, Window } from './window.js'

export interface DeliveryOptions {
  readonly queue: Queue
  /** Whether the session outlives its connection: then a message stays in the queue until it is acknowledged. */
  readonly durable: boolean
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  onDrop(reason: DropReason): void
}

/** Retained messages still to be sent because of one subscription. */
interface Replay {
  readonly filter: string
  readonly messages: Iterator<Message>
  readonly granted: QoS
}

/**
 * Gets one session's messages to its client: numbers them, keeps what cannot be sent yet, sends within the in-flight
 * window, and sends again after a reconnection. It knows no socket and no clock; a {@link Sink} takes what it sends.
 */
export class Delivery implements OutgoingSource {
  readonly window: Window = new Window()
  readonly queue: Queue
  readonly durable: boolean
  readonly #options: DeliveryOptions
  #sink: Sink | undefined
  #maxInflight = 0
  /** The number the next accepted message gets; numbers from `window.next` up to it wait in the queue. */
  #tail = 1
  #replays: Replay[] = []
  /** An earlier process may have sent messages that its last commit does not know of. */
  #mayHaveSent = false

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.queue = options.queue
    this.durable = options.durable
  }

  /** Messages that have not been sent. */
  get waiting(): number {
    return this.#tail - this.window.next
  }

  /** Takes up what an earlier process left. One that was connected then may have been sent more than was written down. */
  restore({ outgoing, expiresAt }: RecoveredSession): void {
    this.window.restore(outgoing.head, outgoing.handshakes)
    this.#tail = outgoing.tail
    this.#mayHaveSent = outgoing.mayHaveSentMore || expiresAt === undefined
  }

  state(): OutgoingState {
    const { head, next } = this.window
    const handshakes = this.window.handshakes()
    return { head, next, tail: this.#tail, handshakes, mayHaveSentMore: this.#mayHaveSent }
  }

  isDone(number: number): boolean {
    return number < this.window.head || (number < this.window.next && this.window.state(number) === settled)
  }

  /** A message matched a subscription with this grant. Answers the commit that makes it safe. */
  deliver(message: Message, granted: QoS): Commit {
    const qos = message.qos < granted ? message.qos : granted // [MQTT-3.8.4-6]
    // RETAIN is 0 towards subscriptions that were there before the message [MQTT-3.3.1-9].
    return qos === 0 ? this.#deliverQos0(message) : this.#accept(message, qos, false)
  }

  /** Sends retained messages for a new subscription, as fast as the client takes them; from the start if it was under way. */
  replay(filter: string, messages: Iterator<Message>, granted: QoS): void {
    this.cancelReplay(filter)
    this.#replays.push({ filter, messages, granted })
    this.pump()
  }

  cancelReplay(filter: string): void {
    if (this.#replays.length > 0) this.#replays = this.#replays.filter((replay) => replay.filter !== filter)
  }

  /** A connection is there: everything unfinished goes out again in its first order [MQTT-4.4.0-1] [MQTT-4.6.0-1]. */
  attach(sink: Sink, maxInflight: number): void {
    this.#sink = sink
    this.#maxInflight = maxInflight
    if (this.#mayHaveSent) this.#countAsSent()
    for (let number = this.window.head; number < this.window.next; number++) {
      const state = this.window.state(number)
      if (state === released) sink.pubrel(packetIdOf(number))
      else if (state !== settled) this.#resend(number, sink)
    }
    this.pump()
  }

  /** The connection is gone. */
  detach(): void {
    this.#sink = undefined
  }

  /** PUBACK. False: it belongs to nothing that waits for it. */
  acknowledge(packetId: number): boolean {
    return this.#settle(packetId, sentQos1)
  }

  /**
   * PUBREC. Answers the commit PUBREL waits for; `wrong` when the id is taken by a QoS 1 message, `repeated` when it is
   * released already or belongs to nothing: PUBREL then lets the client end its handshake.
   */
  release(packetId: number): Commit | 'wrong' | 'repeated' {
    const number = this.window.numberOf(packetId)
    const state = number && this.window.state(number)
    if (state === sentQos1) return 'wrong'
    if (state !== sentQos2) return 'repeated'
    this.window.release(number)
    return this.durable ? this.queue.release(number) : 0
  }

  /** PUBCOMP. False: it belongs to nothing that waits for it. */
  complete(packetId: number): boolean {
    return this.#settle(packetId, released)
  }

  /** Sends what waits, while the window and the socket have room. */
  pump(): void {
    while (this.waiting > 0 && this.#ready()) {
      const number = this.window.next
      const entry = this.queue.get(number)
      if (!entry) {
        this.window.skip()
        continue
      }
      this.#send(entry.message, entry.qos, entry.retain, entry.commit)
      if (!this.durable) this.queue.delete(number)
    }
    while (this.#replays.length > 0 && this.waiting === 0 && this.#ready()) this.#replayOne(this.#replays[0]!)
  }

  /** Room in the window and in the socket. */
  #ready(): boolean {
    return this.#sink !== undefined && !this.#sink.full && this.window.hasRoom(this.#maxInflight)
  }

  #deliverQos0(message: Message): Commit {
    if (!this.#sink) this.#options.onDrop('offline-qos0')
    else if (this.#sink.full) this.#options.onDrop('slow-consumer')
    else this.#sink.publish(message, 0, false, false, 0, message.commit)
    return 0
  }

  #accept(message: Message, qos: QoS, retain: boolean): Commit {
    const sendNow = this.waiting === 0 && this.#ready()
    if (!sendNow && this.#queueIsFull(message)) {
      this.#options.onDrop('queue-full') // the new one: what was accepted before keeps its place and its order
      return 0
    }
    const number = this.#tail++
    // What a session without a future has sent needs no keeping: it is never sent twice.
    const commit = sendNow && !this.durable ? 0 : this.queue.put(number, { message, qos, retain })
    if (sendNow) this.#send(message, qos, retain, commit)
    return commit
  }

  #queueIsFull(message: Message): boolean {
    return (
      this.waiting >= this.#options.maxQueuedMessages ||
      this.queue.bytes + message.payloadBytes > this.#options.maxQueuedBytes
    )
  }

  #send(message: Message, qos: QoS, retain: boolean, commit: Commit): void {
    const number = this.window.send(qos)
    // QoS 1 may leave before its commit: a repeat after a crash is allowed. QoS 2 may not, nor before its publisher's
    // handshake is safe: a publisher that repeats it would make it twice.
    const needed = qos === 1 ? 0 : Math.max(commit, message.commit)
    this.#sink!.publish(message, qos, retain, false, packetIdOf(number), needed)
  }

  #resend(number: number, sink: Sink): void {
    const entry = this.queue.get(number)
    if (!entry) return
    const needed = entry.qos === 1 ? 0 : entry.commit
    sink.publish(entry.message, entry.qos, entry.retain, true, packetIdOf(number), needed) // [MQTT-3.3.1-1]
  }

  /** Whatever fits the window may have been sent before the crash: it goes out again, with DUP. */
  #countAsSent(): void {
    this.#mayHaveSent = false
    while (this.waiting > 0 && this.window.hasRoom(this.#maxInflight)) {
      const entry = this.queue.get(this.window.next)
      if (entry) this.window.send(entry.qos)
      else this.window.skip()
    }
  }

  #replayOne(replay: Replay): void {
    const { done, value: message } = replay.messages.next()
    if (done) {
      this.#replays.shift()
      return
    }
    const qos = message.qos < replay.granted ? message.qos : replay.granted
    if (qos === 0)
      this.#sink!.publish(message, 0, true, false, 0, 0) // RETAIN 1 [MQTT-3.3.1-8]
    else this.#accept(message, qos, true)
  }

  #settle(packetId: number, expected: typeof sentQos1 | typeof released): boolean {
    const number = this.window.numberOf(packetId)
    if (number === 0 || this.window.state(number) !== expected) return false
    if (this.durable) this.queue.delete(number)
    this.window.settle(number)
    this.pump()
    return true
  }
}
