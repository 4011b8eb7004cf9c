import type { Clock } from '../time/clock.js'

interface Timeout {
  readonly due: number
  readonly callback: () => void
}

/** Time that stands still until a test lets it pass. */
export class VirtualClock implements Clock {
  #elapsed = 0
  readonly #epoch: number
  readonly #timeouts = new Set<Timeout>()
  /** What waits until a test has read what lay in the sockets. */
  #afterReading: (() => void)[] | undefined

  /** @param epoch what the wall clock shows at the beginning, in ms since 1970. */
  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch
  }

  now(): number {
    return this.#epoch + this.#elapsed
  }

  monotonic(): number {
    return this.#elapsed
  }

  timeout(ms: number, callback: () => void): () => void {
    const timeout = { due: this.#elapsed + ms, callback }
    this.#timeouts.add(timeout)
    return () => void this.#timeouts.delete(timeout)
  }

  afterReading(callback: () => void): void {
    if (this.#afterReading) this.#afterReading.push(callback)
    else callback()
  }

  /**
   * The process is stopped: time passes and nothing runs. Then what has fallen due runs late. The returned function says that
   * what lay in the sockets meanwhile has been read; until it is called, nobody is taken for silent.
   */
  pause(ms: number): () => void {
    this.#elapsed += ms
    this.#afterReading = []
    this.advance(0)
    return () => {
      const callbacks = this.#afterReading ?? []
      this.#afterReading = undefined
      for (const callback of callbacks) callback()
    }
  }

  /** Lets time pass; whatever falls due runs at its own moment, in order. */
  advance(ms: number): void {
    const end = this.#elapsed + ms
    for (let next = this.#nextUpTo(end); next; next = this.#nextUpTo(end)) {
      this.#timeouts.delete(next)
      this.#elapsed = Math.max(this.#elapsed, next.due)
      next.callback()
    }
    this.#elapsed = end
  }

  #nextUpTo(end: number): Timeout | undefined {
    let first: Timeout | undefined
    for (const timeout of this.#timeouts) {
      if (timeout.due <= end && (!first || timeout.due < first.due)) first = timeout
    }
    return first
  }
}
