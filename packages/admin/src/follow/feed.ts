import type { Clock } from '@godwit/broker'
import { type EventStream, eventOf } from './event-stream.js'

/** What something happens in, and is told of in batches. */
export interface Source {
  /** Begins; what comes is added, with how many more were missed behind it. */
  start(add: (items: readonly object[], missed: number) => void): Promise<{ stop(): unknown }>
}

/** Of one event, at most: what is beyond is counted. */
const mostItems = 1_000
const mostBytes = 128 * 1024

/**
 * What happens, told to every stream that follows: gathered for a moment, written as JSON once for all of them. While nobody
 * follows, nothing is gathered.
 */
export class Feed {
  readonly name: string
  readonly #source: Source
  readonly #gatherMs: number
  readonly #clock: Clock
  readonly #streams = new Set<EventStream>()
  #started: Promise<{ stop(): unknown }> | undefined
  #items: string[] = []
  #bytes = 0
  #missed = 0
  #cancel: (() => void) | undefined

  constructor(name: string, source: Source, gatherMs: number, clock: Clock) {
    this.name = name
    this.#source = source
    this.#gatherMs = gatherMs
    this.#clock = clock
  }

  get isFollowed(): boolean {
    return this.#streams.size > 0
  }

  /** Resolves when nothing is missed any more from there on. */
  async join(stream: EventStream): Promise<void> {
    this.#streams.add(stream)
    this.#started ??= this.#source.start((items, missed) => this.#add(items, missed))
    try {
      await this.#started
    } catch (error) {
      this.leave(stream)
      throw error
    }
  }

  leave(stream: EventStream): void {
    this.#streams.delete(stream)
    if (this.isFollowed) return
    void this.#started?.then((source) => source.stop()).catch(() => {})
    this.#started = undefined
    this.#cancel?.()
    this.#clear()
  }

  #add(items: readonly object[], missed: number): void {
    if (!this.isFollowed) return
    for (const item of items) {
      const room = this.#missed === 0 && this.#items.length < mostItems && this.#bytes < mostBytes
      const text = room ? JSON.stringify(item) : ''
      if (!room || text.length > mostBytes) this.#missed++
      else {
        this.#items.push(text)
        this.#bytes += text.length
      }
    }
    this.#missed += missed
    this.#cancel ??= this.#clock.timeout(this.#gatherMs, () => this.#flush())
  }

  #flush(): void {
    const count = this.#items.length + this.#missed
    const event = eventOf(this.name, `{"items":[${this.#items.join(',')}],"missed":${this.#missed}}`)
    this.#clear()
    for (const stream of this.#streams) stream.send(event, count)
  }

  #clear(): void {
    this.#cancel = undefined
    this.#items = []
    this.#bytes = 0
    this.#missed = 0
  }
}
