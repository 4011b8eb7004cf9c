import { type Commit, later, noCommit } from '../commit.js'
import type { Delivery } from '../delivery/delivery.js'
import type { Sink } from '../delivery/sink.js'
import { packetIdOf, released } from '../delivery/window.js'
import { BrokerError } from '../errors.js'
import type { Owner } from '../faults.js'
import type { Traced } from '../handlers/context.js'
import type { KeptMessage, QueuedMessage } from '../store/queue.js'
import type { Sliced } from '../time/slices.js'
import { GivenMessage, type InsideMessage, type Waiting } from './inside-message.js'
import type { InsideParts } from './inside-parts.js'
import type { InsideSessionOptions } from './session-options.js'

/** Whose inbox it is. */
export interface InboxOwner extends Traced, Owner {
  readonly clientId: string
  /** The listener has failed. */
  onListenerFailed(error: unknown): void
}

/** A message that has not been given, or was given back. */
interface Held extends Waiting {
  /** It is not given before this one is flushed. */
  readonly commit: Commit
}

/** One who waits for the next message. */
interface Pull {
  /** What its iteration has taken and not acknowledged, the earliest first. */
  readonly taken: GivenMessage[]
  resolve(result: IteratorResult<InsideMessage>): void
  reject(error: unknown): void
}

/** Messages given before others have their turn: each may bring another out of the store. */
const givenAtOnce = 1_000

/**
 * Where a session's deliveries go while the program around the broker has it open: the client's side of the handshakes, without
 * packets. It holds what the window lets in; the rest stays in the session's queue. All messages are given in one order.
 */
export class Inbox implements Sink, Sliced {
  readonly #delivery: Delivery
  readonly #parts: InsideParts
  readonly #owner: InboxOwner
  readonly #options: InsideSessionOptions
  #waiting: Held[] = []
  /** How many of them have been given. */
  #taken = 0
  /** What a loop has left unacknowledged, by number: it comes before all that waits. */
  #givenBack: Held[] = []
  #bytes = 0
  #wasFull = false
  readonly #pulls: Pull[] = []
  /** The listener is busy. */
  #isHandling = false
  #isGiving = false
  /** How many may be given before others have their turn. */
  #left = givenAtOnce
  /** The newest commit whose flush it is told of. */
  #awaited: Commit = noCommit
  /** Messages at QoS 2 that an earlier user of the session has taken over: their handshake ends. */
  #released: number[] = []
  #ended = false
  /** What has ended it, until it has been told. */
  #error: Error | undefined

  constructor(delivery: Delivery, options: InsideSessionOptions, parts: InsideParts, owner: InboxOwner) {
    this.#delivery = delivery
    this.#options = options
    this.#parts = parts
    this.#owner = owner
  }

  get clientId(): string {
    return this.#owner.clientId
  }

  onFault(): void {
    this.#owner.onFault()
  }

  /** Of the messages that wait here. */
  get bytes(): number {
    return this.#bytes
  }

  // ---- what the delivery asks for

  get full(): boolean {
    if (this.#bytes <= this.#parts.limits.maxOutboxBytes) return false
    this.#wasFull = true
    return true
  }

  refusal(): undefined {}

  publish(entry: QueuedMessage, dup: boolean, packetId: number, commit: Commit): void {
    entry.message.keep()
    const number = packetId === 0 ? 0 : this.#delivery.window.numberOf(packetId)
    this.#waiting.push({ entry, dup, number, commit: this.#mustWaitFor(entry, commit) })
    this.#bytes += entry.message.heldBytes
    if (this.#options.onMessage) this.#parts.slices.later(this)
    else this.#advance()
  }

  pubrel(packetId: number): void {
    if (this.#options.twoSteps) return // its user knows of it, and finishes it
    this.#released.push(packetId)
    this.#parts.slices.later(this)
  }

  /** Also at QoS 1 it is on disk before it is given, or a crash might give its number to another message. */
  #mustWaitFor(entry: QueuedMessage | KeptMessage, commit: Commit): Commit {
    const isEarly = entry.qos === 0 || (entry.qos === 1 && this.#options.beforeKept === true)
    if (isEarly || !this.#delivery.durable) return commit
    return later(commit, 'commit' in entry ? entry.commit : this.#parts.store.latest)
  }

  // ---- what consumers ask for

  iterate(): AsyncIterator<InsideMessage> {
    const taken: GivenMessage[] = []
    return {
      next: () => this.#pull(taken),
      return: async () => {
        this.#leave(taken)
        return { done: true, value: undefined }
      },
    }
  }

  /** Asking for the next message acknowledges one taken before, by the same iteration. */
  #pull(taken: GivenMessage[]): Promise<IteratorResult<InsideMessage>> {
    const done = taken.shift()
    if (done) this.#acknowledge(done)
    const next = new Promise<IteratorResult<InsideMessage>>((resolve, reject) => {
      this.#pulls.push({ taken, resolve, reject })
      if (this.#ended) this.#finishPulls()
      else this.#goOnGuarded()
    })
    next.catch(() => {})
    return next
  }

  /** An iteration is over: what it has not acknowledged is given to the next one first. */
  #leave(taken: GivenMessage[]): void {
    for (const pull of this.#pulls) if (pull.taken === taken) pull.resolve({ done: true, value: undefined })
    const others = this.#pulls.filter((pull) => pull.taken !== taken)
    this.#pulls.splice(0, this.#pulls.length, ...others)
    if (this.#ended) return
    for (const { from } of taken) {
      if (from.number === 0 || this.#delivery.isDone(from.number)) continue
      this.#givenBack.push({ ...from, dup: true, commit: noCommit })
      this.#bytes += from.entry.message.heldBytes
    }
    this.#givenBack.sort((one, other) => one.number - other.number)
    this.#goOnGuarded()
  }

  /** A message was acknowledged by hand. A promise that nobody looks at is not an unhandled rejection. */
  readonly #onAck = (message: GivenMessage): Promise<void> => {
    const safe = this.#ack(message)
    safe.catch(() => {})
    return safe
  }

  async #ack(message: GivenMessage): Promise<void> {
    if (this.#ended) {
      throw new BrokerError('session-closed', `the session of ${this.clientId} was closed before the acknowledgement`)
    }
    this.#acknowledge(message)
    await this.#parts.commits.whenFlushed(this.#parts.store.latest)
  }

  #acknowledge({ number }: GivenMessage): void {
    this.acknowledge(number)
  }

  /** PUBACK; or PUBREC and PUBCOMP, which are in the store together. */
  acknowledge(number: number): void {
    if (!this.#isOpen(number)) return
    try {
      const packetId = packetIdOf(number)
      if (!this.#delivery.acknowledge(packetId)) {
        this.#delivery.release(packetId)
        this.#delivery.complete(packetId)
      }
    } catch (error) {
      this.#parts.faults.contain(error, this.#owner, 'acknowledging a message')
    } finally {
      this.#parts.store.endOfPart()
    }
  }

  /** PUBREC alone. */
  receive(number: number): void {
    if (!this.#isOpen(number)) return
    try {
      this.#delivery.release(packetIdOf(number))
    } catch (error) {
      this.#parts.faults.contain(error, this.#owner, 'noting that a message was received')
    } finally {
      this.#parts.store.endOfPart()
    }
  }

  /** Whether a message of this number was sent here and is not done. */
  #isOpen(number: number): boolean {
    return !this.#ended && number > 0 && number < this.#delivery.window.next && !this.#delivery.isDone(number)
  }

  /** PUBREC has come for them, and no PUBCOMP. */
  get unfinished(): readonly number[] {
    const { window } = this.#delivery
    const numbers: number[] = []
    for (let number = window.head; number < window.next; number++) {
      if (window.state(number) === released) numbers.push(number)
    }
    return numbers
  }

  // ---- giving

  /** Its turn has come. */
  goOn(): void {
    this.#left = givenAtOnce
    for (const packetId of this.#released.splice(0, givenAtOnce)) if (!this.#ended) this.#delivery.complete(packetId)
    if (this.#released.length > 0) this.#parts.slices.later(this)
    this.#advance()
  }

  #advance(): void {
    if (this.#isGiving) return
    this.#isGiving = true
    try {
      while (this.#isWanted) {
        if (this.#left === 0) return this.#parts.slices.later(this)
        const next = this.#next()
        if (!next) return
        this.#left--
        this.#give(next)
      }
    } finally {
      this.#isGiving = false
    }
  }

  get #isWanted(): boolean {
    if (this.#ended) return false
    return this.#options.onMessage ? !this.#isHandling : this.#pulls.length > 0
  }

  /** The one whose turn it is; `undefined`: there is none, or not yet. */
  #next(): Held | undefined {
    for (let next = this.#first(); next; next = this.#first()) {
      if (next.number > 0 && this.#delivery.isDone(next.number))
        this.#drop(next) // acknowledged since it was given back
      else if (this.#parts.commits.isSafe(next.commit)) return next
      else return this.#waitFor(next.commit)
    }
    return undefined
  }

  #first(): Held | undefined {
    return this.#givenBack[0] ?? this.#waiting[this.#taken]
  }

  #waitFor(commit: Commit): undefined {
    if (later(commit, this.#awaited) === this.#awaited) return
    this.#awaited = commit
    this.#parts.commits.after(commit, () => this.#advance(), this.#owner)
  }

  #drop(one: Held): void {
    if (this.#givenBack[0] === one) this.#givenBack.shift()
    else if (++this.#taken >= 1_000 || this.#taken === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#taken)
      this.#taken = 0
    }
    this.#bytes -= one.entry.message.heldBytes
  }

  #give(one: Held): void {
    this.#drop(one)
    this.#count(one)
    const message = new GivenMessage(one, this.#options.bridge === true, this.#onAck)
    if (this.#options.onMessage) this.#handle(this.#options.onMessage, message)
    else {
      const { taken, resolve } = this.#pulls.shift()!
      if (this.#options.ack !== 'manual') taken.push(message)
      resolve({ done: false, value: message })
    }
    if (!this.#wasFull || this.#bytes > this.#parts.limits.maxOutboxBytes / 2) return
    this.#wasFull = false
    this.#delivery.pump()
  }

  #count({ entry, dup, number }: Held): void {
    const { metrics, tracing } = this.#parts
    if (tracing.isOn) tracing.delivered(this.#owner, entry, dup, number === 0 ? 0 : packetIdOf(number))
    metrics.publishSentByQos[entry.qos]!++
    metrics.publishBytesSentByQos[entry.qos]! += entry.message.payloadBytes
  }

  #handle(listener: (message: InsideMessage) => unknown, message: GivenMessage): void {
    let result: unknown
    try {
      result = listener(message)
    } catch (error) {
      return this.#owner.onListenerFailed(error)
    }
    if (!isThenable(result)) return this.#handled(message)
    this.#isHandling = true
    // Not `result.then`: a thenable of somebody else's may call back at once, twice or never in a promise's order.
    Promise.resolve(result).then(
      () => {
        this.#isHandling = false
        this.#handled(message)
        this.#goOnGuarded()
      },
      (error: unknown) => this.#owner.onListenerFailed(error),
    )
  }

  #handled(message: GivenMessage): void {
    if (this.#options.ack !== 'manual') this.#acknowledge(message)
  }

  #goOnGuarded(): void {
    try {
      this.#advance()
    } catch (error) {
      this.#parts.faults.contain(error, this.#owner, 'giving a message')
    }
  }

  // ---- the end

  /** Nothing is given any more: what has not been acknowledged is in the store. */
  end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#waiting = []
    this.#taken = 0
    this.#givenBack = []
    this.#released = []
    this.#bytes = 0
    this.#finishPulls()
  }

  /** The first who asks is told what has ended it. */
  #finishPulls(): void {
    for (const { resolve, reject } of this.#pulls.splice(0)) {
      const error = this.#error
      this.#error = undefined
      if (error) reject(error)
      else resolve({ done: true, value: undefined })
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
  return typeof (value as { then?: unknown }).then === 'function'
}
