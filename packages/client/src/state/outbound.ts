import { type AnyClientError, PublishError } from '../errors.js'
import { type Acknowledgement, type DropReason, type Outgoing, type OutgoingOwner, sizeOf } from './outgoing.js'
import type { PacketIds } from './packet-ids.js'
import type { RelayedIds } from './relayed-ids.js'
import type { ClientStore, StoredPublish } from './store.js'

/** What a relay publishes itself has no number in the session that keeps its messages: the store knows nothing by it. */
const unnumbered = 0
/** So many connections that the server ends when it comes are its own doing. */
const mostEndings = 3

/** What a new connection means for the log. */
interface OutboundTerms {
  readonly sessionPresent: boolean
  /** QoS 1 and 2 publications that may be under way. */
  readonly window: number
  /** Why a publication may not be sent to this server. */
  readonly refusal: (message: Outgoing) => PublishError | undefined
  /** Ms that only grow. */
  readonly now: () => number
}

/** A publication as it is added; with a number of its own for a relay. */
type NewOutgoing = Pick<
  Outgoing,
  'topic' | 'payload' | 'qos' | 'retain' | 'properties' | 'expiresAt' | 'deadline' | 'owner' | 'relayed'
> & { readonly sequence?: number }

/** The next packet to send: PUBREL for a released publication, or for an id that is to be free; PUBLISH otherwise. */
export type Step = { readonly packet: 'pubrel'; readonly packetId: number } | PublishStep

interface PublishStep {
  readonly packet: 'publish'
  readonly message: Outgoing
  /** It may have been sent before [MQTT-3.3.1-1]. */
  readonly dup: boolean
}

/**
 * The outbound log: every publication in the order of the publish() calls. It moves from `queue` (not sent) to
 * `unacknowledged` (PUBLISH sent) to, at QoS 2, `released` (PUBREC has come), each in the order of entering. After a
 * resumption what is unfinished goes again, in that order, before anything new [MQTT-4.4.0-1] [MQTT-4.6.0-1].
 *
 * A relay's messages bring their packet ids. The store it has keeps them already, so that it hears of PUBREC and of the end alone;
 * and they are never given up because a server has forgotten its session: they go to it again.
 */
export class Outbound {
  readonly #ids: PacketIds
  readonly #store: ClientStore
  /** Of a relay. */
  readonly #relayed: RelayedIds | undefined
  #terms: OutboundTerms = {
    sessionPresent: false,
    window: 0,
    refusal: () => undefined,
    now: () => 0,
  }
  /** PUBLISH packets of QoS 1 and 2 that may still be sent, by the server's Receive Maximum [MQTT-4.9.0-1]. */
  #quota = 0
  #queue = new Set<Outgoing>()
  readonly #unacknowledged = new Map<number, Outgoing>()
  readonly #released = new Map<number, Outgoing>()
  /** What is still to be sent again on this connection. */
  #again: Outgoing[] = []
  #againAt = 0
  #nextSequence = 1
  #nextRelease = 1
  #queuedBytes = 0
  /** Counts the connections. */
  #connection = 0
  /** Goes alone on this connection, since the server has ended others when it came. */
  #onTrial: Outgoing | undefined
  /** Ids of QoS 2 that the server may know still; free again when it has forgotten the session. */
  #withheld: number[] = []

  constructor(ids: PacketIds, store: ClientStore, relayed: RelayedIds | undefined) {
    this.#ids = ids
    this.#store = store
    this.#relayed = relayed
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
    return this.#onTrial === undefined && this.queued === 0 && this.#againAt >= this.#again.length
  }

  /** Whether a publication made now would be sent at once. */
  get open(): boolean {
    return this.caughtUp && this.#hasRoom
  }

  get #hasRoom(): boolean {
    return this.inflight < this.#terms.window && this.#quota > 0
  }

  /** Takes up what an earlier process left. Who published it is gone: `ownerOf` says who is told instead. */
  restore(
    stored: readonly StoredPublish[],
    ownerOf: (publish: StoredPublish) => OutgoingOwner,
    deadlineOf: (expiresAt: number) => number,
  ): void {
    const released: Outgoing[] = []
    for (const publish of stored) {
      const deadline = deadlineOf(publish.expiresAt)
      const message: Outgoing = { ...publish, deadline, sentOn: 0, endings: 0, owner: ownerOf(publish) }
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
  add(publish: NewOutgoing): Outgoing {
    const { topic, payload, qos, retain, properties, expiresAt, deadline, owner } = publish
    const message: Outgoing = {
      sequence: publish.sequence ?? (this.#relayed ? unnumbered : this.#nextSequence++),
      topic,
      payload,
      qos,
      retain,
      properties,
      expiresAt,
      deadline,
      packetId: 0,
      released: 0,
      sentOn: 0,
      endings: 0,
      relayed: publish.relayed,
      owner,
    }
    this.#enqueue(message)
    this.#keep(message)
    return message
  }

  /** Takes back a publication; false when it has been sent already. */
  withdraw(message: Outgoing): boolean {
    if (!this.#queue.delete(message)) return false
    if (this.#onTrial === message) this.#onTrial = undefined
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

  /** A new connection: either the server has the session still, or everything begins anew [MQTT-3.2.2-5]. */
  restart(terms: OutboundTerms): void {
    this.#terms = terms
    this.#connection += 1
    this.#quota = terms.window
    this.#againAt = 0
    if (this.#relayed?.meetsStranger) this.#meetStranger(this.#relayed)
    this.#again = terms.sessionPresent ? [...this.#released.values(), ...this.#unacknowledged.values()] : []
    if (!terms.sessionPresent) this.#forgetSession()
    const first = this.#unacknowledged.values().next().value ?? this.#queue.values().next().value
    this.#onTrial = first !== undefined && first.endings >= mostEndings - 1 ? first : undefined
  }

  /**
   * The server has ended the connection. Below 5.0 that may be all it has to say of a publication that is too large for it,
   * or that it does not allow: the first that it has not answered is under suspicion, and the last time it goes alone.
   */
  endedByServer(error: AnyClientError): void {
    const message = this.#unacknowledged.values().next().value
    if (message === undefined || message.sentOn !== this.#connection) return
    message.endings += 1
    if (message.endings < mostEndings) return
    this.#unacknowledged.delete(message.packetId)
    if (message.qos === 2 && !this.#relayed) {
      this.#withheld.push(message.packetId) // another message under it might be taken for this one [MQTT-4.3.3-10]
      message.packetId = 0
    }
    this.#drop(message, PublishError.endsConnection(message.topic, message.endings, error))
  }

  /** It cannot be written. */
  fail(message: Outgoing, error: AnyClientError): void {
    if (message.qos === 0) return message.owner.dropped(error)
    this.#unacknowledged.delete(message.packetId)
    this.#refill()
    this.#drop(message, error)
  }

  /** The next packet that may be sent now; undefined when there is none, or no room in the window, or no free id. */
  next(): Step | undefined {
    if (this.#onTrial?.sentOn === this.#connection) return undefined
    const step = this.#nextAgain() ?? (this.#againAt < this.#again.length ? undefined : this.#nextNew())
    if (step?.packet === 'publish') step.message.sentOn = this.#connection
    return step
  }

  #nextAgain(): Step | undefined {
    for (; this.#againAt < this.#again.length; this.#againAt++) {
      const message = this.#again[this.#againAt]!
      if (this.#released.get(message.packetId) === message) {
        this.#againAt++
        return { packet: 'pubrel', packetId: message.packetId }
      }
      if (this.#unacknowledged.get(message.packetId) !== message) continue
      const error = this.#terms.refusal(message)
      if (error !== undefined) {
        this.#unacknowledged.delete(message.packetId)
        this.#drop(message, error)
        continue
      }
      if (this.#quota === 0) return undefined // [MQTT-4.9.0-2]
      this.#againAt++
      this.#quota -= 1
      return { packet: 'publish', message, dup: true }
    }
    return undefined
  }

  #nextNew(): Step | undefined {
    for (const message of this.#queue) {
      const why = this.#whyNot(message)
      if (why !== undefined) {
        this.#giveUp(message, why)
        continue
      }
      if (message.qos > 0) {
        const stale = (this.#hasRoom && this.#relayed?.toFree(message)) || 0
        if (stale > 0) return { packet: 'pubrel', packetId: stale }
        const packetId = this.#hasRoom ? this.#takeId(message) : 0
        if (packetId === 0) return undefined
        this.#quota -= 1
        message.packetId = packetId
        this.#unacknowledged.set(packetId, message)
        this.#keep(message)
      }
      this.#queue.delete(message)
      this.#queuedBytes -= sizeOf(message)
      return { packet: 'publish', message, dup: this.#relayed?.wasSent(message) === true }
    }
    return undefined
  }

  #giveUp(message: Outgoing, why: DropReason): void {
    this.#relayed?.givenUp(message)
    this.withdraw(message)
    message.owner.dropped(why)
  }

  /** What keeps it from being sent for the first time. */
  #whyNot(message: Outgoing): DropReason | undefined {
    if (message.deadline < this.#terms.now() && !this.#relayed?.wasSent(message)) return 'expired' // [MQTT-4.3.3-7]
    return this.#terms.refusal(message)
  }

  /** 0: none is free, or not the one it has. */
  #takeId(message: Outgoing): number {
    if (!message.relayed) return this.#ids.take()
    return this.#ids.takeThis(message.relayed.packetId) ? message.relayed.packetId : 0
  }

  /** False when the id belongs to a QoS 2 publication. An unknown one is ignored. */
  onPuback(ack: Acknowledgement): boolean {
    const message = this.#unacknowledged.get(ack.packetId)
    if (message === undefined) return !this.#released.has(ack.packetId)
    if (message.qos !== 1) return false
    this.#unacknowledged.delete(ack.packetId)
    this.#settle(message, ack)
    return true
  }

  /**
   * 'release': PUBREL is the answer. 'unknown': so it is, and says that there is no such id. 'ended': the server refused
   * the publication, and nothing is answered [MQTT-4.3.3-4]. 'mismatch': the id belongs to a QoS 1 publication.
   */
  onPubrec(ack: Acknowledgement): 'release' | 'unknown' | 'ended' | 'mismatch' {
    const { packetId, reasonCode = 0 } = ack
    const message = this.#unacknowledged.get(packetId)
    if (message === undefined) {
      if (reasonCode >= 0x80) return 'ended'
      return this.#released.has(packetId) ? 'release' : 'unknown'
    }
    if (message.qos !== 2) return 'mismatch'
    this.#unacknowledged.delete(packetId)
    if (reasonCode >= 0x80) {
      this.#settle(message, ack)
      return 'ended'
    }
    if (this.#onTrial === message) this.#onTrial = undefined
    message.released = this.#nextRelease++
    message.receipt = ack
    this.#released.set(packetId, message)
    this.#keep(message)
    return 'release'
  }

  /** False when the id belongs to a publication that has had no PUBREC. An unknown one is ignored. */
  onPubcomp(ack: Acknowledgement): boolean {
    if (this.#relayed?.freed(ack.packetId)) return true
    const message = this.#released.get(ack.packetId)
    if (message === undefined) return !this.#unacknowledged.has(ack.packetId)
    this.#released.delete(ack.packetId)
    this.#refill()
    this.#drop(message, undefined)
    message.owner.completed(ack.packetId, message.receipt ?? ack)
    return true
  }

  /**
   * QoS 1 goes again as if new, ahead of what waits. At QoS 2 nobody can say whether a message in mid-handshake
   * arrived, and "exactly once" forbids guessing: but a relay may lose none, and sends it again where it has it still.
   */
  #forgetSession(): void {
    for (const packetId of this.#withheld.splice(0)) this.#ids.release(packetId)
    this.#relayed?.clear()
    const unfinished = [...this.#unacknowledged.values(), ...this.#released.values()]
    this.#unacknowledged.clear()
    this.#released.clear()
    this.#beginAnew(unfinished)
  }

  /** A server that was not asked last has a session: what another has not confirmed goes to it. */
  #meetStranger(ids: RelayedIds): void {
    ids.meetStranger(this.#released.keys())
    const unfinished = [...this.#unacknowledged.values()]
    this.#unacknowledged.clear()
    this.#beginAnew(unfinished)
  }

  /** They go ahead of what waits, as if they were new. */
  #beginAnew(unfinished: readonly Outgoing[]): void {
    const waiting = this.#queue
    this.#queue = new Set()
    this.#queuedBytes = 0
    const inOrder = this.#relayed ? [...unfinished].sort((a, b) => a.sequence - b.sequence) : unfinished
    for (const message of inOrder) {
      this.#ids.release(message.packetId)
      if (message.qos === 1 || message.relayed !== undefined) {
        message.packetId = 0
        message.released = 0
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

  /** The server's last word on it: a reason code of 0x80 or more is a refusal [MQTT-4.4.0-2]. */
  #settle(message: Outgoing, ack: Acknowledgement): void {
    const { reasonCode = 0, properties } = ack
    this.#refill()
    if (reasonCode >= 0x80) return this.#drop(message, PublishError.refused(message.topic, reasonCode, properties))
    this.#drop(message, undefined)
    message.owner.completed(ack.packetId, ack)
  }

  #refill(): void {
    this.#quota = Math.min(this.#quota + 1, this.#terms.window)
  }

  /** It is over; with an error its owner is told. */
  #drop(message: Outgoing, error: AnyClientError | undefined): void {
    if (this.#onTrial === message) this.#onTrial = undefined
    if (error !== undefined && message.qos === 2) this.#relayed?.add(message.packetId)
    this.#ids.release(message.packetId)
    this.#store.removeOutgoing(message.sequence)
    if (error !== undefined) message.owner.dropped(error)
  }

  #keep(message: Outgoing): void {
    const { sequence, topic, payload, qos, retain, properties, expiresAt, packetId, released } = message
    if (qos === 0 || (this.#relayed && released === 0)) return
    this.#store.putOutgoing({ sequence, topic, payload, qos, retain, properties, expiresAt, packetId, released })
  }
}
