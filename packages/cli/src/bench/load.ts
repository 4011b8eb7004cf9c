import type { Histogram, RecordableHistogram } from 'node:perf_hooks'
import { BenchConnection } from './bench-connection.js'
import { micros } from './clock.js'
import { Pace } from './pace.js'
import { Publisher } from './publisher.js'
import { Replayer } from './replayer.js'
import { runTasks } from './run-tasks.js'
import { scenarios } from './scenario.js'
import { type BenchSettings, shareOf } from './settings.js'
import { Subscriber } from './subscriber.js'
import { latencies, note, type Tally } from './tally.js'
import { type Times, Timing } from './timing.js'

/** Messages that have come for publishers of other threads: publisher, copies, publisher, copies… */
export type Delivered = readonly number[]

export interface LoadEvents {
  onDelivered(delivered: Delivered): void
  onFailure(error: Error): void
}

/** A part of the load, in this thread or in another. */
export interface LoadPart {
  readonly latency: Histogram
  readonly connecting: Histogram
  /** Connects and subscribes. @throws CommandError */
  prepare(): Promise<void>
  /**
   * Whoever receives knows what counts: before anybody sends, since a message of one thread may come to another before that
   * is told to start. What begins later than `times` say is put right by {@link start}.
   */
  arm(times: Times): Promise<void>
  start(times: Times): void
  /** Nothing is sent from then on. */
  stop(at: number): void
  /** What came elsewhere. */
  delivered(delivered: Delivered): void
  tally(): Promise<Tally>
  /** Ends the connections, and the sessions with them. */
  close(): Promise<void>
}

/** The publishers and subscribers of one thread. */
export class Load implements LoadPart {
  readonly latency: RecordableHistogram = latencies()
  readonly connecting: RecordableHistogram = latencies()
  readonly #settings: BenchSettings
  readonly #events: LoadEvents
  readonly #publishers: ReadonlyMap<number, Publisher>
  readonly #subscribers: readonly Subscriber[]
  readonly #replayers: readonly Replayer[]
  readonly #idle: readonly BenchConnection[]
  #timing: Timing | undefined
  #pace: Pace | undefined
  #connected = 0
  /** Publishers that may have room, until the end of this turn. */
  readonly #withRoom = new Set<Publisher>()
  readonly #elsewhere = new Map<number, number>()
  #turnEnds = false

  /** @param worker which part of the load this is, of as many as there are workers. */
  constructor(settings: BenchSettings, worker: number, events: LoadEvents) {
    const { pubs, subs, clients, workers } = settings
    const { onFailure } = events
    const retained = scenarios[settings.scenario].retained === true
    const own = (count: number): readonly number[] => shareOf(count, worker, workers)
    this.#settings = settings
    this.#events = events
    const publishing = { onFailure, onRoom: (publisher: Publisher) => this.#hasRoom(publisher) }
    this.#publishers = new Map(own(pubs).map((at) => [at, new Publisher(at, settings, this.latency, publishing)]))
    const receiving = { onFailure, onReceived: (publisher: number) => this.#received(publisher) }
    const subscribers = own(subs)
    this.#subscribers = retained ? [] : subscribers.map((at) => new Subscriber(at, settings, this.latency, receiving))
    this.#replayers = retained ? subscribers.map((at) => new Replayer(at, settings, this.latency, onFailure)) : []
    const idling = { onPacket: () => {}, onDrain: () => {}, onFailure }
    this.#idle = own(clients).map((at) => new BenchConnection(`client ${at}`, settings, idling))
  }

  async prepare(): Promise<void> {
    const receivers = [...this.#subscribers, ...this.#replayers].map(({ connection }) => connection)
    const opening = [...receivers, ...this.#publishers.values(), ...this.#idle].map((role) => () => role.open())
    const { scenario, rate, window, workers } = this.#settings
    const pacing = scenario === 'conn' ? { rate: rate && rate / workers, window } : {}
    await runTasks(opening, { ...pacing, onDone: (waited) => this.#opened(waited) })
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.subscribe()))
  }

  async arm(times: Times): Promise<void> {
    this.#time(times)
  }

  start(times: Times): void {
    const timing = this.#time(times)
    const publishers = [...this.#publishers.values()]
    for (const role of [...this.#replayers, ...publishers]) role.start(timing)
    if (this.#settings.rate !== undefined && publishers.length > 0) this.#pace = new Pace(publishers, timing)
  }

  #time(times: Times): Timing {
    const timing = new Timing(times)
    this.#timing = timing
    for (const subscriber of this.#subscribers) subscriber.start(timing)
    return timing
  }

  stop(at: number): void {
    this.#timing?.stop(at)
  }

  delivered(delivered: Delivered): void {
    for (let at = 0; at < delivered.length; at += 2) {
      this.#publishers.get(delivered[at]!)?.delivered(delivered[at + 1]!)
    }
  }

  async tally(): Promise<Tally> {
    const now = micros()
    const publishers = [...this.#publishers.values()]
    const measuring: readonly { readonly measured: number }[] =
      this.#settings.subs > 0 ? [...this.#subscribers, ...this.#replayers] : publishers
    return {
      sent: total([...publishers, ...this.#replayers], ({ sent }) => sent),
      late: total(publishers, (publisher) => publisher.late(now)),
      acknowledged: total(publishers, ({ acknowledged }) => acknowledged),
      received: total([...this.#subscribers, ...this.#replayers], ({ received }) => received),
      repeated: total(this.#subscribers, ({ repeated }) => repeated),
      refused: total(publishers, ({ refused }) => refused),
      measured: total(measuring, ({ measured }) => measured),
      connected: this.#connected,
    }
  }

  async close(): Promise<void> {
    this.#pace?.stop()
    const roles = [...this.#publishers.values(), ...this.#subscribers, ...this.#replayers]
    const connections = [...roles.map(({ connection }) => connection), ...this.#idle]
    await runTasks(connections.map((connection) => () => connection.close()))
  }

  #opened(waited: number): void {
    note(this.connecting, waited)
    this.#connected++
  }

  #received(publisher: number): void {
    const own = this.#publishers.get(publisher)
    if (own) own.delivered(1)
    else {
      this.#elsewhere.set(publisher, (this.#elsewhere.get(publisher) ?? 0) + 1)
      this.#atTurnEnd()
    }
  }

  #hasRoom(publisher: Publisher): void {
    this.#withRoom.add(publisher)
    this.#atTurnEnd()
  }

  /** Once all sockets that were readable have been read: one write a publisher, one message a thread. */
  #atTurnEnd(): void {
    if (this.#turnEnds) return
    this.#turnEnds = true
    setImmediate(() => {
      this.#turnEnds = false
      const now = micros()
      for (const publisher of this.#withRoom) publisher.pump(now)
      this.#withRoom.clear()
      if (this.#elsewhere.size === 0) return
      this.#events.onDelivered([...this.#elsewhere].flat())
      this.#elsewhere.clear()
    })
  }
}

function total<T>(roles: readonly T[], count: (role: T) => number): number {
  return roles.reduce((sum, role) => sum + count(role), 0)
}
