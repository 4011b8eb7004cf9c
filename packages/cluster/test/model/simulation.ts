import type { Clock } from '@godwit/broker'

/** Turns of promises after each thing that happens: what takes more goes on beside what happens next. */
const turnsToSettle = 24

interface Due {
  readonly at: number
  readonly order: number
  readonly call: () => void
  isCancelled: boolean
}

/** Chance that is the same for the same seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  below(n: number): number {
    return Math.floor(this.next() * n)
  }

  chance(p: number): boolean {
    return this.next() < p
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }
}

/** All that happens in a model, one thing after another on one virtual time. */
export class Simulation {
  now = 0
  /** How many things have happened. */
  events = 0
  readonly random: Random
  /** What has happened, for a person who looks at a seed that failed. */
  readonly story: string[] = []
  #heap: Due[] = []
  #order = 0

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  tell(line: string): void {
    this.story.push(`${String(Math.round(this.now)).padStart(6)} ${line}`)
  }

  after(ms: number, call: () => void): () => void {
    const due: Due = { at: this.now + Math.max(0, ms), order: this.#order++, call, isCancelled: false }
    this.#heap.push(due)
    this.#rise(this.#heap.length - 1)
    return () => {
      due.isCancelled = true
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  /** Lets all happen that is due until then. */
  async run(until: number): Promise<void> {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= until) {
      const due = this.#pop()
      if (due.isCancelled) continue
      this.now = Math.max(this.now, due.at)
      this.events++
      due.call()
      for (let turn = 0; turn < turnsToSettle; turn++) await undefined // who was waiting for it has its turn
    }
    this.now = until
  }

  #pop(): Due {
    const first = this.#heap[0]!
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return first
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a]!, this.#heap[b]!]
    return one.at < other.at || (one.at === other.at && one.order < other.order)
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = one
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(at, above)) return
      this.#swap(at, above)
      at = above
    }
  }

  #sink(from: number): void {
    for (let at = from; ; ) {
      let least = at
      for (const below of [2 * at + 1, 2 * at + 2]) {
        if (below < this.#heap.length && this.#isBefore(below, least)) least = below
      }
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }
}

/** A process: it can be stopped and go on, and it can be killed; its wall clock can jump. */
export class Process implements Clock {
  isAlive = true
  wallOffset = 0
  readonly #simulation: Simulation
  #isStopped = false
  #held: (() => void)[] = []

  constructor(simulation: Simulation, wallOffset = 0) {
    this.#simulation = simulation
    this.wallOffset = wallOffset
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  now(): number {
    return 1_700_000_000_000 + this.#simulation.now + this.wallOffset
  }

  monotonic(): number {
    return this.#simulation.now
  }

  timeout(ms: number, callback: () => void): () => void {
    return this.#simulation.after(ms, () => this.here(callback))
  }

  /** Something reaches the process: now, when it goes on, or never. */
  here(callback: () => void): void {
    if (!this.isAlive) return
    if (this.#isStopped || this.#held.length > 0) this.#held.push(callback)
    else callback()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** What has come meanwhile has its turn, in the order in which it came. */
  goOn(): void {
    this.#isStopped = false
    this.#simulation.after(0, () => this.#next())
  }

  #next(): void {
    if (this.#isStopped || !this.isAlive) return
    const [first] = this.#held
    first?.()
    this.#held.shift()
    if (this.#held.length > 0) this.#simulation.after(0, () => this.#next())
  }

  kill(): void {
    this.isAlive = false
    this.#held = []
  }
}
