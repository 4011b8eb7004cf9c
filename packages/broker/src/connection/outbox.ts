import {
  encodeInto,
  encodePublishHead,
  type Packet,
  type ProtocolVersion,
  type QoS,
  type Writer,
} from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Sink } from '../delivery/sink.js'
import type { Reply } from '../handlers/context.js'
import type { Message } from '../message.js'
import type { Metrics } from '../metrics.js'
import type { Transport } from '../transport/transport.js'
import type { Commits } from './commits.js'
import type { Turn } from './turn.js'
import type { WriterPool } from './writer-pool.js'

/** What all outboxes of a broker share. */
export interface OutboxParts {
  readonly turn: Turn
  readonly writers: WriterPool
  readonly commits: Commits
  readonly metrics: Metrics
  readonly maxOutboxBytes: number
}

/** Who is told what becomes of the output. */
export interface OutboxOwner {
  /** More is waiting than should be; {@link OutboxOwner.onDrained} follows when the socket has taken it. */
  onFull(): void
  /** The socket has taken what made the outbox full. */
  onDrained(): void
  /** A reply that ends the connection is on its way. */
  onLastReply(): void
}

/** A payload of this size and more is handed to the socket as it is, not copied into the output buffer. */
const viewFrom = 4096
/** The output buffer is handed over before it grows past this, even within a turn. */
const flushAbove = 65_536

/** A packet that waits for a commit. */
interface Held {
  readonly commit: Commit
  readonly type: Packet['type']
  /** The reply, or how to send what is none. */
  readonly what: Reply | (() => void)
}

/**
 * One client's output, in order. Packets of one turn are laid one after another in one buffer and written once at its
 * end. Packets that need a commit wait for it here; nothing that needs none waits behind them, except what must keep
 * its order with them: acknowledgements of one kind [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 */
export class Outbox implements Sink {
  version: ProtocolVersion = 4
  readonly #transport: Transport
  readonly #parts: OutboxParts
  readonly #owner: OutboxOwner
  #writer: Writer | undefined
  /** Where in the writer the bytes begin that are not yet in `#segments`. */
  #from = 0
  #segments: Uint8Array[] = []
  #segmentBytes = 0
  /** Bytes the socket has been given and not yet taken. */
  #pendingBytes = 0
  #wasFull = false
  #held: Held[] = []
  readonly #heldByType = new Map<Packet['type'], number>()
  /** The newest commit that will call {@link Outbox.release}. */
  #awaited: Commit = 0
  #closed = false
  /** Rises whenever the socket has taken something: how the owner sees that a slow client is not a dead one. */
  writesDone = 0

  constructor(transport: Transport, parts: OutboxParts, owner: OutboxOwner) {
    this.#transport = transport
    this.#parts = parts
    this.#owner = owner
  }

  /** Bytes on their way to the client: gathered, and given to the socket. */
  get waitingBytes(): number {
    return this.#pendingBytes + this.#segmentBytes + (this.#writer ? this.#writer.position - this.#from : 0)
  }

  get full(): boolean {
    if (this.waitingBytes <= this.#parts.maxOutboxBytes) return false
    if (!this.#wasFull) {
      this.#wasFull = true
      this.#owner.onFull()
    }
    return true
  }

  /** So full that only replies can have done it: they are never dropped, so the client's own packets have to wait. */
  get overfull(): boolean {
    return this.full && this.waitingBytes > 2 * this.#parts.maxOutboxBytes
  }

  /** Sends what a handler answered, when its commit is flushed. */
  reply(reply: Reply): void {
    const { commit, packet } = reply
    if (commit > this.#parts.commits.flushed || this.#isBlocked(packet.type)) this.#hold(commit, packet.type, reply)
    else this.#sendReply(reply)
  }

  publish(message: Message, qos: QoS, retain: boolean, dup: boolean, packetId: number, commit: Commit): void {
    if (this.#closed) return
    if (commit > this.#parts.commits.flushed) {
      message.keep()
      this.#hold(commit, 'publish', () => this.publish(message, qos, retain, dup, packetId, 0))
      return
    }
    const writer = this.#open()
    const { payloadBytes } = message
    encodePublishHead(writer, message.topic, qos, retain, dup, packetId, message.properties, payloadBytes, this.version)
    if (payloadBytes < viewFrom) writer.copy(message.bytes, message.start, message.end)
    else this.#addView(message.keep().payload)
    const { metrics } = this.#parts
    metrics.publishSent++
    metrics.publishBytesSent += payloadBytes
    metrics.packetsSent++
    if (writer.position - this.#from > flushAbove) this.flush()
  }

  pubrel(packetId: number): void {
    this.#encode({ type: 'pubrel', packetId })
  }

  #hold(commit: Commit, type: Packet['type'], what: Held['what']): void {
    this.#keepHeld({ commit, type, what })
    if (commit <= this.#awaited) return
    this.#awaited = commit
    this.#parts.commits.after(commit, () => this.#release())
  }

  /** The store has flushed more commits: what waited for them goes out, in order. */
  #release(): void {
    const { flushed } = this.#parts.commits
    const held = this.#held
    this.#held = []
    this.#heldByType.clear()
    const due: Held[] = []
    for (const one of held) {
      if (one.commit > flushed || this.#isBlocked(one.type)) this.#keepHeld(one)
      else due.push(one)
    }
    // Only now: what these send in turn must line up behind what is still held.
    for (const { what } of due) {
      if (typeof what === 'function') what()
      else this.#sendReply(what)
    }
  }

  /** Whether one of this kind must wait because an earlier one does; behind CONNACK all must [MQTT-3.2.0-1]. */
  #isBlocked(type: Packet['type']): boolean {
    return this.#heldByType.has(type) || this.#heldByType.has('connack')
  }

  #keepHeld(one: Held): void {
    this.#held.push(one)
    this.#heldByType.set(one.type, (this.#heldByType.get(one.type) ?? 0) + 1)
  }

  /** Hands the turn's bytes to the socket. */
  flush(): void {
    const writer = this.#writer
    if (!writer) return
    this.#cut(writer)
    const segments = this.#segments
    const bytes = this.#segmentBytes
    this.#writer = undefined
    this.#segments = []
    this.#segmentBytes = 0
    if (bytes === 0 || this.#closed) {
      this.#parts.writers.give(writer)
      return
    }
    this.#pendingBytes += bytes
    this.#parts.metrics.bytesSent += bytes
    this.#transport.write(segments, () => {
      this.#parts.writers.give(writer)
      this.#written(bytes)
    })
  }

  /** Nothing goes out from here on but what the socket already has. */
  close(): void {
    this.flush()
    this.#closed = true
    this.#held = []
    this.#heldByType.clear()
  }

  #sendReply({ packet, sent, close }: Reply): void {
    this.#encode(packet)
    sent?.()
    if (close) this.#owner.onLastReply()
  }

  #encode(packet: Packet): void {
    if (this.#closed) return
    encodeInto(this.#open(), packet, this.version)
    this.#parts.metrics.packetsSent++
  }

  #open(): Writer {
    if (this.#writer) return this.#writer
    this.#writer = this.#parts.writers.take()
    this.#from = 0
    this.#parts.turn.add(this)
    return this.#writer
  }

  /** Closes the run of bytes since the last cut into a segment. */
  #cut(writer: Writer): void {
    if (writer.position === this.#from) return
    this.#segments.push(writer.bytes.subarray(this.#from, writer.position))
    this.#segmentBytes += writer.position - this.#from
    this.#from = writer.position
  }

  #addView(payload: Uint8Array): void {
    this.#cut(this.#writer!)
    this.#segments.push(payload)
    this.#segmentBytes += payload.length
  }

  #written(bytes: number): void {
    this.#pendingBytes -= bytes
    this.writesDone++
    if (this.#wasFull && this.waitingBytes <= this.#parts.maxOutboxBytes / 2) {
      this.#wasFull = false
      this.#owner.onDrained()
    }
  }
}
