import {
  encode,
  encodeInto,
  encodePublishHead,
  type Packet,
  type PropertiesOf,
  type ProtocolVersion,
  Writer,
} from '@godwit/protocol'
import type { Commit } from '../commit.js'
import type { Sink } from '../delivery/sink.js'
import type { Reply } from '../handlers/context.js'
import type { Metrics } from '../metrics.js'
import type { QueuedMessage } from '../store/queue.js'
import type { Transport } from '../transport/transport.js'
import type { Commits } from './commits.js'
import { deliveredProperties } from './delivered-properties.js'
import { OutgoingAliases } from './topic-aliases.js'
import type { Turn } from './turn.js'
import type { WriterPool } from './writer-pool.js'

/** What all outboxes of a broker share. */
export interface OutboxParts {
  readonly turn: Turn
  readonly writers: WriterPool
  readonly commits: Commits
  readonly metrics: Metrics
  readonly maxOutboxBytes: number
  /** Epoch ms. */
  readonly now: () => number
}

/** Who is told what becomes of the output. */
export interface OutboxOwner {
  /** More is waiting than should be; {@link OutboxOwner.onDrained} follows when the socket has taken it. */
  onFull(): void
  /** The socket has taken what made the outbox full. */
  onDrained(): void
  /** A reply is on its way. */
  onReply(packet: Packet): void
  /** A reply is larger than the client takes, so it will never have it. */
  onTooLarge(packet: Packet): void
  /** A reply that ends the connection is on its way. */
  onLastReply(): void
}

/** A payload of this size and more is handed to the socket as it is, not copied into the output buffer. */
const viewFrom = 4096
/** The output buffer is handed over before it grows past this, even within a turn. */
const flushAbove = 65_536

/** No Maximum Packet Size was given. */
export const unlimited: number = Number.POSITIVE_INFINITY
/** Aliases given to topics towards one client: those it gets first. */
const mostAliases = 10

/** What one client takes. */
export interface ClientTerms {
  readonly version: ProtocolVersion
  /** Bytes. */
  readonly maximumPacketSize: number
  readonly topicAliasMaximum: number
}

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
  #client: ClientTerms = { version: 4, maximumPacketSize: unlimited, topicAliasMaximum: 0 }
  #aliases = new OutgoingAliases(0)
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

  /** What the client's CONNECT said about what it takes. */
  setTerms(terms: ClientTerms): void {
    this.#client = terms
    this.#aliases = new OutgoingAliases(Math.min(terms.topicAliasMaximum, mostAliases))
  }

  /** Bytes on their way to the client: gathered, and given to the socket. */
  get waitingBytes(): number {
    return this.#pendingBytes + this.#segmentBytes + (this.#writer ? this.#writer.position - this.#from : 0)
  }

  /** The commit after which nothing is held any more. */
  get awaitedCommit(): Commit {
    return this.#held.length > 0 ? this.#awaited : 0
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

  accepts(delivery: QueuedMessage): boolean {
    return this.#client.maximumPacketSize === unlimited || this.#sizeOf(delivery) <= this.#client.maximumPacketSize
  }

  publish(delivery: QueuedMessage, dup: boolean, packetId: number, commit: Commit): void {
    if (this.#closed) return
    const { message } = delivery
    if (commit > this.#parts.commits.flushed) {
      message.keep()
      this.#hold(commit, 'publish', () => this.publish(delivery, dup, packetId, 0))
      return
    }
    const writer = this.#open()
    const { payloadBytes } = message
    this.#head(writer, delivery, dup, packetId)
    if (payloadBytes < viewFrom) writer.copy(message.bytes, message.start, message.end)
    else this.#addView(message.keep().payload)
    const { metrics } = this.#parts
    metrics.publishSent++
    metrics.publishBytesSent += payloadBytes
    metrics.packetsSent++
    if (writer.position - this.#from > flushAbove) this.flush()
  }

  /** Fixed header to properties. At 5.0 a topic the client knows by an alias goes without its name. */
  #head(writer: Writer, { message, qos, retain, identifiers }: QueuedMessage, dup: boolean, packetId: number): void {
    const { topic, payloadBytes } = message
    if (this.#client.version < 5) {
      encodePublishHead(writer, topic, qos, retain, dup, packetId, undefined, payloadBytes, this.#client.version)
      return
    }
    const alias = this.#aliases.of(topic)
    const properties = deliveredProperties(message, identifiers, alias?.number, this.#parts.now())
    encodePublishHead(writer, alias?.isKnown ? '' : topic, qos, retain, dup, packetId, properties, payloadBytes, 5)
  }

  /** The size the packet has at most: with its topic's name, and a packet id. */
  #sizeOf({ message, qos, retain, identifiers }: QueuedMessage): number {
    const writer = new Writer(message.topic.length + 64)
    const { version, topicAliasMaximum } = this.#client
    const alias = topicAliasMaximum > 0 ? topicAliasMaximum : undefined
    const properties = version < 5 ? undefined : deliveredProperties(message, identifiers, alias, this.#parts.now())
    encodePublishHead(
      writer,
      message.topic,
      qos,
      retain,
      false,
      qos === 0 ? 0 : 1,
      properties,
      message.payloadBytes,
      version,
    )
    return writer.position + message.payloadBytes
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

  /** The last packet, of the server's own accord: it waits for nothing. Left out where the client takes none so large. */
  sayGoodbye(packet: Packet): void {
    const fitting = this.#fits(packet) ? packet : this.#withoutWords(packet)
    if (fitting) this.#encode(fitting)
  }

  /** Whether the client takes packets as large as this one [MQTT-3.1.2-24]. */
  #fits(packet: Packet): boolean {
    const { maximumPacketSize, version } = this.#client
    return maximumPacketSize === unlimited || encode(packet, version).length <= maximumPacketSize
  }

  /** A packet that is too large only for its Reason String goes without it [MQTT-3.2.2-19] [MQTT-3.14.2-3]. */
  #withoutWords(packet: Packet): Packet | undefined {
    const { reasonString, ...properties } = (packet as { properties?: PropertiesOf<'connack'> }).properties ?? {}
    if (reasonString === undefined) return undefined
    const plain = { ...packet, properties: Object.keys(properties).length > 0 ? properties : undefined } as Packet
    return this.#fits(plain) ? plain : undefined
  }

  /** Nothing goes out from here on but what the socket already has. */
  close(): void {
    this.flush()
    this.#closed = true
    this.#held = []
    this.#heldByType.clear()
  }

  #sendReply({ packet, sent, close }: Reply): void {
    const fitting = this.#fits(packet) ? packet : this.#withoutWords(packet)
    if (!fitting) return this.#owner.onTooLarge(packet)
    this.#encode(fitting)
    this.#owner.onReply(packet)
    sent?.()
    if (close) this.#owner.onLastReply()
  }

  #encode(packet: Packet): void {
    if (this.#closed) return
    encodeInto(this.#open(), packet, this.#client.version)
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
