import { matchesFilter, type Packet } from '@godwit/protocol'
import type { Batch, Batches, BatchListener } from '../batches.js'
import type { Traced } from '../handlers/context.js'
import type { QueuedMessage } from '../store/queue.js'
import { type TracedPacket, tracedDelivery, tracedPacket } from './traced-packet.js'

/** Which packets; what is left out is not asked. */
export interface TraceOptions {
  /** Those of the client of this Client Identifier, connected or still to come. */
  readonly clientId?: string
  /** PUBLISH packets of topics that match this Topic Filter. */
  readonly topic?: string
}

/** A packet on its way between the broker and a client. */
export interface TraceEvent {
  /** Epoch ms. */
  readonly at: number
  /** `undefined` before CONNECT. */
  readonly clientId: string | undefined
  /** Empty where there is none. */
  readonly address: string
  /** As the broker sees it. */
  readonly direction: 'in' | 'out'
  readonly packet: TracedPacket
}

interface Trace {
  readonly clientId: string | undefined
  readonly topic: string | undefined
  readonly batch: Batch<TraceEvent>
  /** Whether a topic matches, for those that were asked for lately. */
  readonly known: Map<string, boolean>
  /** The last of them, and its answer: the next message often has the same. */
  lastTopic: string | undefined
  lastMatches: boolean
}

const mostKnown = 10_000

/** Shows packets to whoever asked for them. When nobody does, a packet costs one look at {@link isOn}. */
export class Tracing {
  isOn = false
  readonly #now: () => number
  readonly #batches: Batches
  /** An array, walked by index: every packet of every client comes by. */
  #traces: readonly Trace[] = []
  /**
   * The client whose packet came in last, if no trace is about it, and below the one to which one went out: asked first, since many more
   * follow.
   */
  #passedOverFrom: Traced | undefined
  #passedOverTo: Traced | undefined
  /** Client Identifiers from CONNECT packets of clients that have not been let in yet; noted only while somebody traces. */
  #names = new WeakMap<Traced, string>()

  constructor(now: () => number, batches: Batches) {
    this.#now = now
    this.#batches = batches
  }

  start(options: TraceOptions, tell: BatchListener<TraceEvent>): { stop(): void } {
    const trace: Trace = {
      clientId: options.clientId,
      topic: options.topic,
      batch: this.#batches.make(tell, 'a listener of packets'),
      known: new Map(),
      lastTopic: undefined,
      lastMatches: false,
    }
    this.#change([...this.#traces, trace])
    return {
      stop: () => {
        this.#change(this.#traces.filter((other) => other !== trace))
        trace.batch.stop()
      },
    }
  }

  #change(traces: readonly Trace[]): void {
    this.#traces = traces
    this.isOn = traces.length > 0
    this.#passedOverFrom = undefined
    this.#passedOverTo = undefined
    if (!this.isOn) this.#names = new WeakMap()
  }

  /**
   * As short as can be, like {@link delivered}: both are part of every message's way while somebody traces.
   * @param topic of a PUBLISH, which itself may have but an alias of it.
   */
  received(from: Traced, packet: Packet, topic?: string): void {
    if (from !== this.#passedOverFrom) this.#received(from, packet, topic)
  }

  delivered(to: Traced, entry: QueuedMessage, dup: boolean, packetId: number): void {
    if (to !== this.#passedOverTo) this.#delivered(to, entry, dup, packetId)
  }

  #received(from: Traced, packet: Packet, topic: string | undefined): void {
    if (packet.type === 'connect') this.#names.set(from, packet.clientId)
    if (!this.#concerns(from)) this.#passedOverFrom = from
    const traces = this.#traces
    for (let at = 0; at < traces.length; at++) {
      const trace = traces[at]!
      if (!this.#isAsked(trace, from, topic)) continue
      if (trace.batch.isFull) trace.batch.miss()
      else {
        const traced = tracedPacket(packet)
        this.#tell(trace, from, 'in', topic === undefined ? traced : { ...traced, topic })
      }
    }
  }

  sent(to: Traced, packet: Packet): void {
    for (const trace of this.#traces) {
      if (!this.#isAsked(trace, to, undefined)) continue
      if (trace.batch.isFull) trace.batch.miss()
      else this.#tell(trace, to, 'out', tracedPacket(packet))
    }
  }

  #delivered(to: Traced, entry: QueuedMessage, dup: boolean, packetId: number): void {
    if (!this.#concerns(to)) this.#passedOverTo = to
    const traces = this.#traces
    for (let at = 0; at < traces.length; at++) {
      const trace = traces[at]!
      if (!this.#isAsked(trace, to, entry.message.topic)) continue
      if (trace.batch.isFull) trace.batch.miss()
      else this.#tell(trace, to, 'out', tracedDelivery(entry, dup, packetId))
    }
  }

  /** Whether some trace may be about this client. Its name stands once it is in. */
  #concerns({ client }: Traced): boolean {
    if (client === undefined) return true
    return this.#traces.some(({ clientId }) => clientId === undefined || clientId === client.clientId)
  }

  #isAsked(trace: Trace, whose: Traced, topic: string | undefined): boolean {
    if (trace.clientId !== undefined && trace.clientId !== this.#nameOf(whose)) return false
    if (trace.topic === undefined) return true
    if (topic === undefined) return false
    if (topic === trace.lastTopic) return trace.lastMatches
    let matches = trace.known.get(topic)
    if (matches === undefined) {
      matches = matchesFilter(trace.topic, topic)
      if (trace.known.size >= mostKnown) trace.known.clear()
      trace.known.set(topic, matches)
    }
    trace.lastTopic = topic
    trace.lastMatches = matches
    return matches
  }

  #nameOf(whose: Traced): string | undefined {
    return whose.client?.clientId ?? this.#names.get(whose)
  }

  #tell(trace: Trace, whose: Traced, direction: 'in' | 'out', packet: TracedPacket): void {
    const { address } = whose.peer
    trace.batch.add({ at: this.#now(), clientId: this.#nameOf(whose), address, direction, packet })
  }
}
