import type { PropertiesOf, QoS } from '@godwit/protocol'
import type { PacketIds } from './packet-ids.js'
import type { ClientStore, StoredPublish } from './store.js'

/** A publication from publish() to the end of its handshake. */
export interface Outgoing {
  readonly sequence: number
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: PropertiesOf<'publish'> | undefined
  /** 0: not sent yet, or QoS 0. */
  packetId: number
  /** 0: no PUBREC yet. Otherwise its place among the PUBRECs. */
  released: number
  /** Who waits for it. */
  readonly owner: OutgoingOwner
}

/** Told once how a publication ended. */
export interface OutgoingOwner {
  completed(packetId: number): void
  /**
   * 'session-lost': the server forgot the session in the middle of the handshake. 'connection-lost': QoS 0, not sent
   * when the connection ended. 'client-closed': the client ended.
   */
  dropped(why: 'session-lost' | 'connection-lost' | 'client-closed'): void
}

/** The next packet to send: PUBREL for a released publication, PUBLISH otherwise. */
export interface Step {
  readonly message: Outgoing
  readonly packet: 'publish' | 'pubrel'
  /** It may have been sent before [MQTT-3.3.1-1]. */
  readonly dup: boolean
}

/**
 * The outbound log: every publication in the order of the publish() calls. It moves from `queue` (not sent) to
 * `unacknowledged` (PUBLISH sent) to, at QoS 2, `released` (PUBREC has come), each in the order of entering. After a
 * resumption what is unfinished goes again, in that order, before anything new [MQTT-4.4.0-1] [MQTT-4.6.0-1].
 */
export class Outbound {
  readonly #ids: PacketIds
  readonly #store: ClientStore
  readonly #maxInflight: number
  #queue = new Set<Outgoing>()
  readonly #unacknowledged = new Map<number, Outgoing>()
  readonly #released = new Map<number, Outgoing>()
  /** What is still to be sent again on this connection. */
  #again: Outgoing[] = []
  #againAt = 0
  #nextSequence = 1
  #nextRelease = 1
  #queuedBytes = 0

  constructor(ids: PacketIds, store: ClientStore, maxInflight: number) {
    this.#ids = ids
    this.#store = store
    this.#maxInflight = maxInflight
  }

  /** Publications accepted and not yet sent. */
  get queued(): number {
    return this.#queue.size
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** QoS 1 and 2 publications sent and not completed. */
  get inflight(): number {
    return this.#unacknowledged.size + this.#released.size
  }

  get idle(): boolean {
    return this.queued === 0 && this.inflight === 0
  }

  /** Whether everything before a publication made now has been sent. */
  get caughtUp(): boolean {
    return this.queued === 0 && this.#againAt >= this.#again.length
  }

  /** Whether a publication made now would be sent at once. */
  get open(): boolean {
    return this.caughtUp && this.inflight < this.#maxInflight
  }

  /** Takes up what an earlier process left. Who published it is gone: `ownerOf` says who is told instead. */
  restore(stored: readonly StoredPublish[], ownerOf: (publish: StoredPublish) => OutgoingOwner): void {
    const released: Outgoing[] = []
    for (const publish of stored) {
      const message: Outgoing = { ...publish, owner: ownerOf(publish) }
      this.#nextSequence = Math.max(this.#nextSequence, publish.sequence + 1)
      this.#nextRelease = Math.max(this.#nextRelease, publish.released + 1)
      if (message.packetId === 0) {
        this.#enqueue(message)
        continue
      }
      this.#ids.claim(message.packetId)
      if (message.released > 0) released.push(message)
      else this.#unacknowledged.set(message.packetId, message)
    }
    for (const message of released.sort((a, b) => a.released - b.released))
      this.#released.set(message.packetId, message)
  }

  /** Adds a publication at the end of the log. */
  add(publish: Omit<Outgoing, 'sequence' | 'packetId' | 'released'>): Outgoing {
    const { topic, payload, qos, retain, properties, owner } = publish
    const sequence = this.#nextSequence++
    const message: Outgoing = { sequence, topic, payload, qos, retain, properties, packetId: 0, released: 0, owner }
    this.#enqueue(message)
    this.#keep(message)
    return message
  }

  /** Takes back a publication; false when it has been sent already. */
  withdraw(message: Outgoing): boolean {
    if (!this.#queue.delete(message)) return false
    this.#queuedBytes -= sizeOf(message)
    if (message.qos > 0) this.#store.removeOutgoing(message.sequence)
    return true
  }

  /** Takes back the QoS 0 publications that wait. */
  withdrawQos0(): Outgoing[] {
    const waiting = [...this.#queue].filter((message) => message.qos === 0)
    for (const message of waiting) this.withdraw(message)
    return waiting
  }

  /** The client has ended. The store keeps what it has. */
  end(): void {
    const unfinished = [...this.#queue, ...this.#unacknowledged.values(), ...this.#released.values()]
    this.#queue.clear()
    this.#unacknowledged.clear()
    this.#released.clear()
    this.#queuedBytes = 0
    for (const message of unfinished) message.owner.dropped('client-closed')
  }

  /** A new connection: either the server has the session still, or everything begins anew. */
  restart(sessionPresent: boolean): void {
    this.#againAt = 0
    this.#again = sessionPresent ? [...this.#released.values(), ...this.#unacknowledged.values()] : []
    if (!sessionPresent) this.#forgetSession()
  }

  /** The next packet that may be sent now; undefined when there is none, or no room in the window, or no free id. */
  next(): Step | undefined {
    while (this.#againAt < this.#again.length) {
      const message = this.#again[this.#againAt++]!
      if (this.#released.get(message.packetId) === message) return { message, packet: 'pubrel', dup: false }
      if (this.#unacknowledged.get(message.packetId) === message) return { message, packet: 'publish', dup: true }
    }
    const [message] = this.#queue
    if (message === undefined) return undefined
    if (message.qos > 0) {
      const packetId = this.inflight < this.#maxInflight ? this.#ids.take() : 0
      if (packetId === 0) return undefined
      message.packetId = packetId
      this.#unacknowledged.set(packetId, message)
      this.#keep(message)
    }
    this.#queue.delete(message)
    this.#queuedBytes -= sizeOf(message)
    return { message, packet: 'publish', dup: false }
  }

  /** False when there is no QoS 1 publication with that id: ignored. */
  onPuback(packetId: number): boolean {
    const message = this.#unacknowledged.get(packetId)
    if (message?.qos !== 1) return false
    this.#unacknowledged.delete(packetId)
    this.#complete(message)
    return true
  }

  /**
   * False when the id belongs to a QoS 1 publication: ignored. Otherwise PUBREL is the answer, also to an unknown id.
   */
  onPubrec(packetId: number): boolean {
    const message = this.#unacknowledged.get(packetId)
    if (message === undefined) return true
    if (message.qos !== 2) return false
    this.#unacknowledged.delete(packetId)
    message.released = this.#nextRelease++
    this.#released.set(packetId, message)
    this.#keep(message)
    return true
  }

  /** False when nothing with that id waits for PUBCOMP: ignored. */
  onPubcomp(packetId: number): boolean {
    const message = this.#released.get(packetId)
    if (message === undefined) return false
    this.#released.delete(packetId)
    this.#complete(message)
    return true
  }

  /**
   * QoS 1 goes again as if new, ahead of what waits. At QoS 2 nobody can say whether a message in mid-handshake
   * arrived, and "exactly once" forbids guessing.
   */
  #forgetSession(): void {
    const waiting = this.#queue
    this.#queue = new Set()
    this.#queuedBytes = 0
    const unfinished = [...this.#unacknowledged.values(), ...this.#released.values()]
    this.#unacknowledged.clear()
    this.#released.clear()
    for (const message of unfinished) {
      this.#ids.release(message.packetId)
      if (message.qos === 1) {
        message.packetId = 0
        this.#enqueue(message)
        this.#keep(message)
      } else {
        this.#store.removeOutgoing(message.sequence)
        message.owner.dropped('session-lost')
      }
    }
    for (const message of waiting) this.#enqueue(message)
  }

  #enqueue(message: Outgoing): void {
    this.#queue.add(message)
    this.#queuedBytes += sizeOf(message)
  }

  #complete(message: Outgoing): void {
    this.#ids.release(message.packetId)
    this.#store.removeOutgoing(message.sequence)
    message.owner.completed(message.packetId)
  }

  #keep(message: Outgoing): void {
    const { sequence, topic, payload, qos, retain, properties, packetId, released } = message
    if (qos === 0) return
    this.#store.putOutgoing({ sequence, topic, payload, qos, retain, properties, packetId, released })
  }
}

/** What a waiting publication counts against `offlineQueue.maxBytes`. */
export function sizeOf(message: { readonly topic: string; readonly payload: Uint8Array }): number {
  return message.topic.length + message.payload.length
}
