import type { Faults } from './faults.js'

/**
 * Told in batches what has been gathered, after the work that caused it: never in the middle of it.
 * @param items in their order.
 * @param missed how many came after these and are left out, as the listener has not kept up; 0: none.
 * @returns a promise, if it has more to do: what comes meanwhile is gathered, and told when that has settled.
 */
export type BatchListener<T> = (items: readonly T[], missed: number) => unknown

/** Items gathered for one listener, at most. A session that ends tells of 10,000 subscriptions at once. */
export const mostGathered = 20_000
/** Bytes of what is gathered for one listener, about: one item may come on top. */
const mostGatheredBytes = 8 * 1024 * 1024

/** What is to be told in a broker, to all listeners. */
export class Batches {
  readonly #faults: Faults
  /** How many listeners have not been told all, or are not done with it. */
  #busy = 0
  #whenTold: (() => void)[] = []

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** @param what it listens to, for the log: `a listener of changes`. */
  make<T>(tell: BatchListener<T>, what: string): Batch<T> {
    const onFault = (error: unknown): void => this.#faults.ofListener(error, `${what} failed`)
    return new Batch(tell, onFault, (by) => this.#change(by))
  }

  /** Resolves when all that was gathered has been told, and the listeners are done with it. */
  told(): Promise<void> {
    return this.#busy === 0 ? Promise.resolve() : new Promise((resolve) => void this.#whenTold.push(resolve))
  }

  #change(by: 1 | -1): void {
    this.#busy += by
    if (this.#busy > 0) return
    for (const resolve of this.#whenTold) resolve()
    this.#whenTold = []
  }
}

/**
 * What is gathered for one listener until it is told, in bounded memory. The first of what comes between two calls is kept and
 * what is beyond the bounds counted, so that a listener that is slow, or told of very much, knows what it has missed.
 */
export class Batch<T> {
  readonly #tell: BatchListener<T>
  readonly #onFault: (error: unknown) => void
  #items: T[] = []
  #bytes = 0
  #missed = 0
  #isDue = false
  /** Until it has returned, and its promise has settled. */
  #isInCall = false
  #isBusy = false
  readonly #onBusy: (by: 1 | -1) => void

  /** @param onBusy told when there is something to tell, and when all has been told. */
  constructor(tell: BatchListener<T>, onFault: (error: unknown) => void, onBusy: (by: 1 | -1) => void) {
    this.#tell = tell
    this.#onFault = onFault
    this.#onBusy = onBusy
  }

  /** Whether the next one will only be counted. */
  get isFull(): boolean {
    return this.#items.length >= mostGathered || this.#bytes >= mostGatheredBytes
  }

  add(item: T): void {
    if (this.isFull) return this.miss()
    this.#items.push(item)
    this.#bytes += takenBytes(item)
    this.#setBusy(true)
    this.#schedule()
  }

  /** Counts one that need not be made, when it {@link isFull}. */
  miss(): void {
    this.#missed++
  }

  /** Its owner adds no more. What has been gathered is told: at once, or when the listener is done with what it has. */
  stop(): void {
    this.#flush()
  }

  #schedule(): void {
    if (this.#isDue || this.#isInCall) return
    this.#isDue = true
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isDue = false
    if (this.#isInCall || this.#items.length === 0) return
    const [items, missed] = [this.#items, this.#missed]
    this.#items = []
    this.#bytes = 0
    this.#missed = 0
    this.#isInCall = true
    void this.#call(items, missed)
  }

  /** A listener that fails is the embedding program's: the broker goes on, and says so. */
  async #call(items: readonly T[], missed: number): Promise<void> {
    try {
      const more = this.#tell(items, missed)
      if (more instanceof Promise) await more
    } catch (error) {
      this.#onFault(error)
    }
    this.#isInCall = false
    if (this.#items.length > 0) this.#schedule()
    else this.#setBusy(false)
  }

  #setBusy(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return
    this.#isBusy = isBusy
    this.#onBusy(isBusy ? 1 : -1)
  }
}

/** What plain data takes in memory, roughly. */
function takenBytes(value: unknown): number {
  if (typeof value === 'string') return 16 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  let bytes = 16
  for (const name in value) bytes += 8 + takenBytes((value as Record<string, unknown>)[name])
  return bytes
}
