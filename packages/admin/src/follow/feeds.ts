import type { Clock, Histogram, TraceOptions } from '@godwit/broker'
import { shownLine } from '../log-lines.js'
import type { Logins } from '../logins.js'
import { notServing } from '../not-serving.js'
import type { AdministeredBroker } from '../options.js'
import type { Cluster, Log } from '../parts.js'
import { Problem } from '../problem.js'
import { pointOf, readingOf } from '../series/reading.js'
import type { Credential } from '../tokens.js'
import { timeOf } from '../values.js'
import { EventStream, eventOf } from './event-stream.js'
import { Feed, type Source } from './feed.js'

/** Streams at once, and traces of different clients or topics. */
const mostStreams = 256
const mostTraces = 32
/** Changes, lines and packets are gathered so long into one event. */
const gatherMs = 250
const beatSeconds = 15

export type FeedName = 'changes' | 'log' | 'metrics'

interface FeedsParts {
  /** `undefined`: another node of the cluster serves. */
  readonly broker: AdministeredBroker | undefined
  readonly log: Log | undefined
  readonly cluster: Cluster | undefined
  readonly logins: Logins
  readonly clock: Clock
  readonly eventLoopDelay: Histogram | undefined
}

/** What can be followed, and who follows it. */
export class Feeds {
  readonly #parts: FeedsParts
  readonly #plain: Readonly<Record<FeedName, Feed>>
  readonly #traces = new Map<string, Feed>()
  readonly #streams = new Set<EventStream>()
  #cancelTick: (() => void) | undefined
  #ticks = 0

  constructor(parts: FeedsParts) {
    const { broker, log, cluster, clock } = parts
    this.#parts = parts
    const elsewhere: Source = { start: () => Promise.reject(notServing(cluster)) }
    this.#plain = {
      changes: new Feed('changes', broker ? { start: (add) => broker.changes(add) } : elsewhere, gatherMs, clock),
      log: new Feed('log', sourceOfLog(log), gatherMs, clock),
      metrics: new Feed('metrics', broker ? sourceOfMetrics({ ...parts, broker }) : elsewhere, 0, clock),
    }
  }

  /** @throws Problem `too-many-requests`; BrokerError, for a trace of what is no topic filter. */
  async open(
    names: readonly FeedName[],
    trace: TraceOptions | undefined,
    who: Credential,
  ): Promise<ReadableStream<Uint8Array>> {
    if (this.#streams.size >= mostStreams)
      throw new Problem('too-many-requests', `${mostStreams} streams are open, which is all`)
    const feeds = names.map((name) => this.#plain[name])
    if (trace) feeds.push(this.#traceOf(trace))
    const stream = new EventStream(who, (ended) => this.#left(ended, feeds))
    this.#streams.add(stream)
    try {
      for (const feed of feeds) await feed.join(stream)
    } catch (error) {
      stream.end('end', {})
      throw error
    }
    stream.send(eventOf('open', JSON.stringify({ feeds: feeds.map(({ name }) => name) })), 0)
    this.#cancelTick ??= this.#tickLater()
    return stream.readable
  }

  /** Ends them all. */
  close(): void {
    for (const stream of this.#streams) stream.end('end', { why: 'the server is closing' })
  }

  #traceOf(trace: TraceOptions): Feed {
    const key = JSON.stringify([trace.clientId, trace.topic])
    let feed = this.#traces.get(key)
    if (feed) return feed
    if (this.#traces.size >= mostTraces)
      throw new Problem('too-many-requests', `${mostTraces} traces are under way, which is all`)
    const { broker, cluster, clock } = this.#parts
    if (!broker) throw notServing(cluster)
    feed = new Feed('trace', sourceOfTrace(broker, trace), gatherMs, clock)
    this.#traces.set(key, feed)
    return feed
  }

  #left(stream: EventStream, feeds: readonly Feed[]): void {
    this.#streams.delete(stream)
    for (const feed of feeds) feed.leave(stream)
    for (const [key, feed] of this.#traces) if (!feed.isFollowed) this.#traces.delete(key)
    if (this.#streams.size > 0) return
    this.#cancelTick?.()
    this.#cancelTick = undefined
  }

  #tickLater(): () => void {
    return this.#parts.clock.timeout(1_000, () => {
      this.#cancelTick = this.#tickLater()
      this.#tick()
    })
  }

  /** Once a second: who may not stay goes, and who hears nothing is told that it is there. */
  #tick(): void {
    this.#ticks++
    for (const stream of this.#streams) {
      if (!this.#parts.logins.isGood(stream.who)) stream.end('end', { why: 'the token is not good any more' })
      else if (this.#ticks % beatSeconds === 0) stream.beat()
    }
  }
}

function sourceOfLog(log: Log | undefined): Source {
  return {
    async start(add) {
      if (!log) throw new Problem('not-available', 'this server was not given log')
      const stop = log.listen((line) => add([shownLine(line)], 0))
      return { stop }
    },
  }
}

function sourceOfTrace(broker: AdministeredBroker, trace: TraceOptions): Source {
  return {
    start: (add) =>
      broker.trace(trace, (events, missed) =>
        add(
          events.map(({ at, clientId, ...rest }) => ({ at: timeOf(at), clientId: clientId ?? null, ...rest })),
          missed,
        ),
      ),
  }
}

/** The main series, once a second. */
function sourceOfMetrics({
  broker,
  clock,
  eventLoopDelay,
}: FeedsParts & { readonly broker: AdministeredBroker }): Source {
  return {
    async start(add) {
      const read = () => readingOf(broker, eventLoopDelay, () => clock.monotonic())
      let before = await read()
      let isOver = false
      let cancel = (): void => {}
      const sample = async (): Promise<void> => {
        const after = await read().catch(() => undefined)
        if (isOver || !after) return
        const values = Object.entries(pointOf(before, after)).map(([name, value]) => [
          name,
          Number.isFinite(value) ? value : null,
        ])
        before = after
        add([{ at: timeOf(clock.now()), ...Object.fromEntries(values) }], 0)
      }
      const later = (): void => {
        cancel = clock.timeout(1_000, () => {
          later()
          void sample()
        })
      }
      later()
      return {
        stop() {
          isOver = true
          cancel()
        },
      }
    },
  }
}
