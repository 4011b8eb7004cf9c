import { encodeUtf8, type QoS } from '@godwit/protocol'
import type { Commit } from '../commit.js'
import { Message } from '../message.js'
import type { Queue } from './queue.js'
import type { OutgoingSource, OutgoingState, Recovered, RecoveredSession, SessionStore, Store } from './store.js'

/** Stands in for a session's deliveries: numbers are sent, released and done as the test says. */
export class Deliveries implements OutgoingSource {
  head = 1
  next = 1
  tail = 1
  readonly #done = new Set<number>()
  readonly #states = new Map<number, number>()
  readonly stored: SessionStore

  constructor(stored: SessionStore, outgoing?: OutgoingState) {
    this.stored = stored
    if (outgoing) {
      Object.assign(this, { head: outgoing.head, next: outgoing.next, tail: outgoing.tail })
      outgoing.handshakes.forEach((state, at) => {
        this.#states.set(outgoing.head + at, state)
        if (state === 0) this.#done.add(outgoing.head + at)
      })
    }
    stored.serves(this)
  }

  readonly clientId = ''

  onFault(): void {}

  state(): OutgoingState {
    const handshakes = Uint8Array.from({ length: this.next - this.head }, (_, at) => this.#stateOf(this.head + at))
    const { head, next, tail } = this
    return { head, next, tail, handshakes, maxInflight: 0, mayHaveSentMore: false }
  }

  isDone(number: number): boolean {
    return number < this.head || this.#done.has(number)
  }

  mayExpire(number: number): boolean {
    return number >= this.next
  }

  /** Messages that have expired. */
  expired = 0

  onExpired(messages: number): void {
    this.expired += messages
  }

  put(message: Message, qos: QoS = message.qos): Commit {
    return this.stored.queue.put(this.tail++, { message, qos, retain: false })
  }

  send(): number {
    this.#states.set(this.next, 1)
    return this.next++
  }

  release(number: number): Commit {
    this.#states.set(number, 3)
    return this.stored.queue.release(number)
  }

  finish(number: number): void {
    this.stored.queue.delete(number)
    this.#done.add(number)
    this.next = Math.max(this.next, number + 1)
    while (this.head < this.next && this.#done.has(this.head)) this.head++
  }

  /** The texts of all that is not done, in order; `-` for one that is not there. */
  texts(): string[] {
    const found: string[] = []
    for (let number = this.head; number < this.tail; number++) {
      if (!this.isDone(number)) found.push(textAt(this.stored.queue, number))
    }
    return found
  }

  #stateOf(number: number): number {
    return this.#done.has(number) ? 0 : (this.#states.get(number) ?? 1)
  }
}

export function messageOf(text: string, qos: QoS = 1, topic = 't'): Message {
  return Message.of(topic, encodeUtf8(text), qos)
}

export function textAt(queue: Queue, number: number): string {
  const entry = queue.get(number)
  return entry ? Buffer.from(entry.message.payload).toString() : '-'
}

/** When the commit is flushed. Takes the place of the store's listener. */
export function flushed(store: Store, commit: Commit): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (store.flushed >= commit) resolve()
    }
    store.onFlushed = look
    look()
  })
}

/** When nothing is left to write, what the store clears away by itself included, in turns of its own. */
export async function idle(store: Store): Promise<void> {
  for (let quietTurns = 0; quietTurns < 5; quietTurns++) {
    if (store.flushed < store.latest) quietTurns = 0
    while (store.flushed < store.latest) await flushed(store, store.latest)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A text of exactly 65,535 bytes of UTF-8, the longest MQTT knows. */
export function longest(ending: string): string {
  return 'ä'.repeat((65_534 - ending.length - (ending.length % 2)) / 2) + ending + 'x'.repeat(1 + (ending.length % 2))
}

export function begin(store: Store, clientId: string): Deliveries {
  const stored = store.session(clientId)
  const deliveries = new Deliveries(stored)
  stored.connected(3600)
  return deliveries
}

export function resume(recovered: Recovered, clientId: string): Deliveries {
  const { stored, outgoing } = found(recovered, clientId)
  return new Deliveries(stored, outgoing)
}

export function found(recovered: Recovered, clientId: string): RecoveredSession {
  const session = recovered.sessions.find((one) => one.clientId === clientId)
  if (!session) throw new Error(`session ${clientId} was not recovered`)
  return session
}
