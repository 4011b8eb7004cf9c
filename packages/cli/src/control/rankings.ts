import { setTimeout } from 'node:timers/promises'
import type { InspectedBroker, Listed } from './inspected-broker.js'

/** How many of each kind are found. */
const most = 20
const pageSize = 1_000
/** Between two walks over all. */
const restMs = 1_000
/** How much longer than a page takes the broker has for others afterwards. */
const timesForOthers = 19

export interface SlowConsumer {
  readonly clientId: string
  readonly outboxBytes: number
}

export interface DeepQueue {
  readonly clientId: string
  readonly connected: boolean
  readonly queued: number
}

/**
 * For whom most is waiting. That is found by looking at all clients and sessions, again and again, page by page, with a
 * twentieth of a core at most: where there are a hundred thousand of them, it takes longer to know.
 */
export class Rankings {
  /** Those whose sockets have most to take; `undefined`: not known yet. */
  slowest: readonly SlowConsumer[] | undefined
  /** The sessions with most messages in their queues; `undefined`: not known yet. */
  deepest: readonly DeepQueue[] | undefined
  readonly #broker: Pick<InspectedBroker, 'clients' | 'sessions'>
  readonly #left: AbortSignal

  /** @param left aborted, it ends the looking. */
  constructor(broker: Pick<InspectedBroker, 'clients' | 'sessions'>, left: AbortSignal) {
    this.#broker = broker
    this.#left = left
  }

  /** Looks until it is aborted: rejects then. */
  async run(): Promise<never> {
    const { clients, sessions } = this.#broker
    for (;;) {
      const slowest = new Ranking<SlowConsumer>(({ outboxBytes }) => outboxBytes)
      await this.#walk(clients, ({ clientId, outboxBytes }) => slowest.add({ clientId, outboxBytes }))
      this.slowest = slowest.items
      const deepest = new Ranking<DeepQueue>(({ queued }) => queued)
      await this.#walk(sessions, ({ clientId, connected, queued }) => deepest.add({ clientId, connected, queued }))
      this.deepest = deepest.items
      await this.#pause(restMs)
    }
  }

  async #walk<T>(listed: Listed<T>, visit: (item: T) => void): Promise<void> {
    let after: string | undefined
    do {
      const begun = performance.now()
      const { items, next } = await listed.page({ limit: pageSize, ...(after !== undefined && { after }) })
      for (const item of items) visit(item)
      if (next !== undefined) await this.#pause((performance.now() - begun) * timesForOthers)
      after = next
    } while (after !== undefined)
  }

  #pause(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { signal: this.#left, ref: false })
  }
}

/** Of many, those with the highest figures above 0, the highest first. */
class Ranking<T> {
  readonly #figureOf: (item: T) => number
  readonly items: T[] = []

  constructor(figureOf: (item: T) => number) {
    this.#figureOf = figureOf
  }

  add(item: T): void {
    const figure = this.#figureOf(item)
    const least = this.items.length < most ? 0 : this.#figureOf(this.items.at(-1)!)
    if (figure <= least) return
    const at = this.items.findIndex((other) => this.#figureOf(other) < figure)
    this.items.splice(at < 0 ? this.items.length : at, 0, item)
    if (this.items.length > most) this.items.pop()
  }
}
