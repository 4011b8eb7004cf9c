import type { Clock } from '../time/clock.js'
import type { OutletMessage } from './outlet-options.js'

/** How batches are cut. */
interface BatchBounds {
  readonly maxBatchMessages: number
  readonly maxBatchBytes: number
  readonly lingerMs: number
}

/** What has been given and not yet written, in order, cut into batches. At most two batches; then whoever gives has to wait. */
export class BatchQueue {
  readonly #bounds: BatchBounds
  readonly #clock: Clock
  #waiting: OutletMessage[] = []
  #bytes = 0
  #isClosed = false
  /** The one who waits for messages. */
  #wake: () => void = () => {}
  /** Those who wait for room. */
  #room: (() => void)[] = []

  constructor(bounds: BatchBounds, clock: Clock) {
    this.#bounds = bounds
    this.#clock = clock
  }

  /** @returns a promise when it is full: the next one is given when that resolves. */
  put(message: OutletMessage): Promise<void> | undefined {
    this.#waiting.push(message)
    this.#bytes += message.payload.length
    if (this.#waiting.length === 1 || this.#isBatch) this.#wake()
    const { maxBatchMessages, maxBatchBytes } = this.#bounds
    if (this.#waiting.length < 2 * maxBatchMessages && this.#bytes < 2 * maxBatchBytes) return undefined
    return new Promise((resolve) => this.#room.push(resolve))
  }

  /** The next batch: when it is full, or its first message has waited long enough; `undefined` when the queue is closed. */
  async take(): Promise<readonly OutletMessage[] | undefined> {
    await this.#until(() => this.#waiting.length > 0)
    if (this.#bounds.lingerMs > 0 && !this.#isBatch) await this.#linger()
    if (this.#isClosed) return undefined
    const batch = this.#waiting.splice(0, this.#lengthOfBatch())
    this.#bytes -= bytesOf(batch)
    for (const goOn of this.#room.splice(0)) goOn()
    return batch
  }

  /** Nothing is taken from it any more. */
  close(): void {
    this.#isClosed = true
    this.#waiting = []
    this.#wake()
    for (const goOn of this.#room.splice(0)) goOn()
  }

  get #isBatch(): boolean {
    return this.#waiting.length >= this.#bounds.maxBatchMessages || this.#bytes >= this.#bounds.maxBatchBytes
  }

  async #linger(): Promise<void> {
    let isOver = false
    const cancel = this.#clock.timeout(this.#bounds.lingerMs, () => {
      isOver = true
      this.#wake()
    })
    await this.#until(() => isOver || this.#isBatch)
    cancel()
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!this.#isClosed && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #lengthOfBatch(): number {
    const { maxBatchMessages, maxBatchBytes } = this.#bounds
    let bytes = 0
    let length = 0
    for (const { payload } of this.#waiting) {
      if (length === maxBatchMessages || (length > 0 && bytes + payload.length > maxBatchBytes)) break
      bytes += payload.length
      length++
    }
    return length
  }
}

const bytesOf = (messages: readonly OutletMessage[]): number =>
  messages.reduce((sum, { payload }) => sum + payload.length, 0)
