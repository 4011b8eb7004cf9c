import type { RecordableHistogram } from 'node:perf_hooks'
import { type Delivered, Load, type LoadEvents, type LoadPart } from './load.js'
import type { BenchSettings } from './settings.js'
import { type Percentiles, percentilesOf, sumOf, type Tally } from './tally.js'
import { ThreadLoad } from './thread-load.js'
import type { Times } from './timing.js'

/** The parts of the load as one. The first failure of any ends whatever is waited for. */
export class Loads {
  /** Rejects with the first failure. */
  readonly failing: Promise<never>
  #parts: readonly LoadPart[] = []
  #fail: (error: Error) => void = () => {}

  /** One worker is this thread; more are threads of their own. */
  static async start(settings: BenchSettings): Promise<Loads> {
    const loads = new Loads()
    const events: LoadEvents = {
      onDelivered: (delivered) => loads.#delivered(delivered),
      onFailure: (error) => loads.#fail(error),
    }
    const { workers } = settings
    loads.#parts =
      workers === 1
        ? [new Load(settings, 0, events)]
        : await Promise.all(Array.from({ length: workers }, (_, worker) => ThreadLoad.start(settings, worker, events)))
    return loads
  }

  private constructor() {
    this.failing = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    this.failing.catch(() => {}) // it may come when nobody waits; whoever waits next is told
  }

  /** Connects and subscribes. @throws CommandError */
  async prepare(): Promise<void> {
    await this.#all((part) => part.prepare())
  }

  /** Resolves when all parts know what counts. */
  async arm(times: Times): Promise<void> {
    await this.#all((part) => part.arm(times))
  }

  start(times: Times): void {
    for (const part of this.#parts) part.start(times)
  }

  stop(at: number): void {
    for (const part of this.#parts) part.stop(at)
  }

  async tally(): Promise<Tally> {
    return sumOf(await this.#all((part) => part.tally()))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#parts.map((part) => part.close()))
  }

  get latency(): Percentiles | undefined {
    return percentilesOf(this.#parts.map(({ latency }) => latency as RecordableHistogram))
  }

  get connecting(): Percentiles | undefined {
    return percentilesOf(this.#parts.map(({ connecting }) => connecting as RecordableHistogram))
  }

  /** Each publisher is in one part only, and that knows it. */
  #delivered(delivered: Delivered): void {
    for (const part of this.#parts) part.delivered(delivered)
  }

  #all<T>(ask: (part: LoadPart) => Promise<T>): Promise<T[]> {
    return Promise.race([Promise.all(this.#parts.map(ask)), this.failing])
  }
}
