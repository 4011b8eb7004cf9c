import { encode, encodeInto, type Packet, type PropertiesOf, reason, Writer } from '@godwit/protocol'
import type { Account } from '../accounts.js'
import { type Commit, later, noCommit } from '../commit.js'
import type { Sink } from '../delivery/sink.js'
import type { Owner } from '../faults.js'
import type { Reply, Traced } from '../handlers/context.js'
import type { Limits } from '../limits.js'
import type { DropReason, Metrics } from '../metrics.js'
import type { QueuedMessage } from '../store/queue.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import type { Transport } from '../transport/transport.js'
import type { Commits } from './commits.js'
import { type HeldPacket, HeldPackets } from './held-packets.js'
import { type ClientTerms, type EncoderParts, PublishEncoder, unlimited } from './publish-encoder.js'
import type { Tracing } from './tracing.js'
import type { Gathering, Turn } from './turn.js'

/** What all outboxes of a broker share. */
export interface OutboxParts extends EncoderParts {
  readonly turn: Turn
  readonly writers: WriterPool
  readonly commits: Commits
  readonly metrics: Metrics
  readonly tracing: Tracing
  /** Charged with what waits in all connections. */
  readonly waiting: Account
  readonly limits: Pick<Limits, 'maxOutboxBytes'>
}

/** Whether messages of a topic are for a client. */
type MayReceive = (topic: string) => boolean

/** Who is told what becomes of the output. */
export interface OutboxOwner extends Traced, Owner {
  /** It is a bridge: it is given the marks of messages. Left out: it is none. */
  readonly isBridge?: boolean
  /** More waits for the socket than should; {@link OutboxOwner.onDrained} follows when it has taken that. */
  onFull(): void
  /** It is not full any more: the socket has taken enough, or messages that waited for a commit have been written to it. */
  onDrained(): void
  /** A reply is on its way. */
  onReply(packet: Packet): void
  /** Ends in order, after what has been sent. */
  end(why: string, reasonCode?: number): void
}

/** The output buffer is handed over before it grows past this, even within a turn. */
const flushAbove = 65_536
/** Memory that a message takes beside its payload while it waits for a commit, roughly. */
const heldBytesBeside = 256

/**
 * One client's output, in order. Packets of one turn are laid one after another in one buffer and written once at its
 * end; those that need a commit wait for it.
 */
export class Outbox implements Sink, Gathering {
  readonly #terms: ClientTerms
  /** Made with the first message. */
  #encoder: PublishEncoder | undefined
  readonly #transport: Transport
  readonly #parts: OutboxParts
  readonly #owner: OutboxOwner
  #writer: Writer | undefined
  /** Where in the writer the bytes begin that are not yet in `#segments`. */
  #from = 0
  #segments: Uint8Array[] | undefined
  #segmentBytes = 0
  /** Bytes the socket has been given and not yet taken. */
  #pendingBytes = 0
  #wasFull = false
  /** Made when the first packet has to wait. */
  #held: HeldPackets | undefined
  /** Memory of messages that wait for a commit. */
  #heldBytes = 0
  #closed = false
  #mayReceive: MayReceive | undefined
  #writesDone = 0

  /** @param terms what the client's CONNECT said about what it takes. */
  constructor(transport: Transport, parts: OutboxParts, owner: OutboxOwner, terms: ClientTerms) {
    this.#terms = terms
    this.#transport = transport
    this.#parts = parts
    this.#owner = owner
  }

  get clientId(): string | undefined {
    return this.#owner.clientId
  }

  onFault(): void {
    this.#owner.onFault()
  }

  /** From here on only messages go out of whose topic this says that the client may receive it; `undefined`: all. */
  restrict(mayReceive: MayReceive | undefined): void {
    this.#mayReceive = mayReceive
  }

  /** Bytes on their way to the client: gathered, and given to the socket. */
  get waitingBytes(): number {
    return this.#pendingBytes + this.#segmentBytes + (this.#writer ? this.#writer.position - this.#from : 0)
  }

  /** Rises whenever the socket has taken something: how the owner sees that a slow client is not a dead one. */
  get progress(): number {
    return this.#writesDone + this.#transport.bytesTaken
  }

  /** Once this commit is flushed, no packet waits for a commit any more. */
  get awaitedCommit(): Commit {
    return this.#held?.awaited ?? noCommit
  }

  /** Memory of replies that wait for a commit, roughly. */
  get heldReplyBytes(): number {
    return this.#held?.bytes ?? 0
  }

  get full(): boolean {
    const { maxOutboxBytes } = this.#parts.limits
    if (this.waitingBytes <= maxOutboxBytes) return this.#heldBytes > maxOutboxBytes // the disk is slow then, not the client
    if (!this.#wasFull) {
      this.#wasFull = true
      this.#owner.onFull()
    }
    return true
  }

  /** More waits than messages may fill, so replies have filled it. They are never dropped: the client is not read from meanwhile. */
  get overfull(): boolean {
    return this.full && this.waitingBytes > 2 * this.#parts.limits.maxOutboxBytes
  }

  /** Sends what a handler answered, when its commit is flushed. */
  reply(reply: Reply): void {
    const { packet, refuses } = reply
    // PINGRESP says that somebody is there, and nothing of what is kept: it waits for nobody.
    const isFree = refuses || packet.type === 'pingresp'
    const commit = isFree ? reply.commit : later(reply.commit, this.#parts.commits.barrier())
    if (!this.#parts.commits.isSafe(commit) || this.#held?.blocks(packet.type)) this.#hold(commit, packet.type, reply)
    else this.#sendReply(reply)
  }

  refusal(entry: QueuedMessage): DropReason | undefined {
    if (this.#mayReceive !== undefined && !this.#mayReceive(entry.message.topic)) return 'receive-denied'
    return this.#messages().accepts(entry) ? undefined : 'too-large'
  }

  publish(entry: QueuedMessage, dup: boolean, packetId: number, commit: Commit): void {
    const isQos0 = entry.qos === 0
    if (!this.#parts.commits.isSafe(commit) || (isQos0 && this.#held?.blocks('publish-qos0'))) {
      if (this.#closed) return
      this.#heldBytes += entry.message.keep().payloadBytes + heldBytesBeside
      this.#hold(commit, isQos0 ? 'publish-qos0' : 'publish', () => this.#sendHeld(entry, dup, packetId))
    } else this.#sendPublish(entry, dup, packetId)
  }

  #sendHeld(entry: QueuedMessage, dup: boolean, packetId: number): void {
    this.#heldBytes -= entry.message.payloadBytes + heldBytesBeside
    this.#sendPublish(entry, dup, packetId)
  }

  #sendPublish(entry: QueuedMessage, dup: boolean, packetId: number): void {
    if (this.#closed) return
    const { message } = entry
    const writer = this.#open()
    const payload = this.#messages().write(writer, entry, dup, packetId)
    if (payload) this.#addView(writer, payload)
    const { metrics, tracing } = this.#parts
    if (tracing.isOn) tracing.delivered(this.#owner, entry, dup, packetId)
    metrics.publishSentByQos[entry.qos]!++
    metrics.publishBytesSentByQos[entry.qos]! += message.payloadBytes
    metrics.packetsSent++
    if (writer.position - this.#from > flushAbove) this.#handOver(writer)
  }

  pubrel(packetId: number): void {
    this.#encode({ type: 'pubrel', packetId })
  }

  #hold(commit: Commit, kind: HeldPacket['kind'], what: HeldPacket['what']): void {
    const { commits, waiting } = this.#parts
    this.#held ??= new HeldPackets(commits, waiting, this.#onReleased, this.#owner)
    this.#held.hold(commit, kind, what)
  }

  /** What waited for a commit goes out, in order. */
  readonly #onReleased = (due: readonly HeldPacket[]): void => {
    const wasFull = this.#heldBytes > this.#parts.limits.maxOutboxBytes
    for (const { what } of due) {
      if (typeof what === 'function') what()
      else this.#sendReply(what)
    }
    // While the socket has too much as well, the owner is told when that has taken some of it.
    if (wasFull && !this.#closed && !this.full) this.#owner.onDrained()
  }

  /** The end of the turn. */
  flush(): number {
    const bytes = this.#writer ? this.#handOver(this.#writer) : 0
    this.#tellWhenDrained()
    return bytes
  }

  /** Hands what has been gathered to the socket; answers its bytes. */
  #handOver(writer: Writer): number {
    this.#cut(writer)
    const segments = this.#segments
    const bytes = this.#segmentBytes
    this.#parts.copies.forget() // from now on others write there
    this.#writer = undefined
    this.#segments = undefined
    this.#segmentBytes = 0
    if (!segments || this.#closed) {
      this.#parts.writers.give(writer)
      return 0
    }
    this.#pendingBytes += bytes
    this.#parts.metrics.bytesSent += bytes
    let inside = true // nobody is called back from inside a publish: they might publish
    this.#transport.write(segments, () => {
      this.#parts.writers.give(writer)
      this.#pendingBytes -= bytes
      this.#writesDone++
      if (!inside) this.#tellWhenDrained()
    })
    inside = false
    return bytes
  }

  /** The last packet, of the server's own accord: it waits for nothing. Left out where the client takes none so large. */
  sayGoodbye(packet: Packet): void {
    const fitting = this.#fits(packet) ? packet : this.#withoutWords(packet)
    if (fitting) this.#encode(fitting)
  }

  /** Whether the client takes packets as large as this one [MQTT-3.1.2-24]. */
  #fits(packet: Packet): boolean {
    const { maximumPacketSize, version } = this.#terms
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
    this.#held?.clear()
  }

  #sendReply({ packet, sent, close }: Reply): void {
    const fitting = this.#fits(packet) ? packet : this.#withoutWords(packet)
    if (!fitting) return this.#giveUp(packet)
    this.#encode(fitting)
    this.#owner.onReply(packet)
    sent?.()
    if (close) this.#owner.end('connection refused')
  }

  /** An answer is too large for the client, which would wait for it for ever: its connection ends. */
  #giveUp({ type }: Packet): void {
    this.#owner.end(`takes no packet as large as its ${type.toUpperCase()}`, reason.packetTooLarge)
  }

  #encode(packet: Packet): void {
    if (this.#closed) return
    if (this.#parts.tracing.isOn) this.#parts.tracing.sent(this.#owner, packet)
    encodeInto(this.#open(), packet, this.#terms.version)
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
    this.#add(writer.bytes.subarray(this.#from, writer.position))
    this.#from = writer.position
  }

  #addView(writer: Writer, payload: Uint8Array): void {
    this.#cut(writer)
    this.#add(payload)
  }

  #add(segment: Uint8Array): void {
    this.#segments ??= []
    this.#segments.push(segment)
    this.#segmentBytes += segment.length
  }

  #messages(): PublishEncoder {
    this.#encoder ??= new PublishEncoder(this.#parts, this.#terms, this.#owner.isBridge)
    return this.#encoder
  }

  #tellWhenDrained(): void {
    if (!this.#wasFull || this.waitingBytes > this.#parts.limits.maxOutboxBytes / 2) return
    this.#wasFull = false
    this.#owner.onDrained()
  }
}

/** While there is no limit (0), how often it is looked whether there is one by now. */
const lookAgainMs = 60_000

/** Notices a client that takes nothing of what waits for it. */
export class DrainWatch {
  readonly #wheel: TimerWheel
  readonly #limits: Pick<Limits, 'drainTimeoutMs'>
  #timer: WheelTimer | undefined

  constructor(wheel: TimerWheel, limits: Pick<Limits, 'drainTimeoutMs'>) {
    this.#wheel = wheel
    this.#limits = limits
  }

  /** Calls `onStuck` when the socket takes nothing for `drainTimeoutMs`. Begins anew when it was started before. */
  start(outbox: Outbox, onStuck: () => void): void {
    this.stop()
    const { drainTimeoutMs } = this.#limits
    const mayTakeForEver = drainTimeoutMs === 0
    const seen = outbox.progress
    const look = (): void => {
      if (outbox.progress === seen && !mayTakeForEver) onStuck()
      else this.start(outbox, onStuck)
    }
    this.#timer = this.#wheel.after(mayTakeForEver ? lookAgainMs : drainTimeoutMs, look, outbox)
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

/** First size of a connection's output buffer: some replies and small messages. It doubles when it must. */
const firstBytes = 2048
/** Larger ones go back to the garbage collector. */
const largestBytes = 262_144
/** All that the pool keeps. */
const mostBytes = 8_388_608

/** Output buffers that no connection is using: an idle connection holds none. */
export class WriterPool {
  readonly #free: Writer[] = []
  #bytes = 0

  take(): Writer {
    const writer = this.#free.pop()
    if (!writer) return new Writer(firstBytes)
    this.#bytes -= writer.bytes.length
    return writer
  }

  /** Gives a writer back; nobody may use its bytes any more. */
  give(writer: Writer): void {
    const { length } = writer.bytes
    if (length > largestBytes || this.#bytes + length > mostBytes) return
    writer.reset()
    this.#bytes += length
    this.#free.push(writer)
  }
}
