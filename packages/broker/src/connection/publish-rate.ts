import type { Limits } from '../limits.js'
import type { Clock } from '../time/clock.js'
import { type Rate, rateOf, TokenBucket } from '../time/token-bucket.js'

/** How fast each client may publish. */
export interface PublishRates {
  readonly messages: Rate
  readonly bytes: Rate
}

/** As the limits say whenever it is asked. */
export function publishRates(limits: Pick<Limits, 'maxPublishesPerSecond' | 'maxPublishBytesPerSecond'>): PublishRates {
  return {
    messages: rateOf(() => limits.maxPublishesPerSecond, savedUpSeconds),
    bytes: rateOf(() => limits.maxPublishBytesPerSecond, savedUpSeconds),
  }
}

const savedUpSeconds = 1

/** How fast one client publishes. When it is too fast, it is not read from for a while, or what is too much is refused. */
export class PublishRate {
  readonly #clock: Clock
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  #cancel: (() => void) | undefined

  constructor({ messages, bytes }: PublishRates, clock: Clock) {
    const now = clock.monotonic()
    this.#clock = clock
    this.#messages = new TokenBucket(messages, now)
    this.#bytes = new TokenBucket(bytes, now)
  }

  /** Counts what a chunk has brought. True: that is too fast for now; `onPaid` follows when it has been waited for. */
  spend(messages: number, bytes: number, onPaid: () => void): boolean {
    const enoughMessages = this.#messages.spend(messages)
    const enoughBytes = this.#bytes.spend(bytes)
    if ((enoughMessages && enoughBytes) || this.#cancel) return false
    const now = this.#clock.monotonic()
    const ms = Math.max(this.#messages.debtMs(now), this.#bytes.debtMs(now))
    if (ms === 0) return false
    this.#cancel = this.#clock.timeout(Math.min(ms, mostMs), () => {
      this.#cancel = undefined
      if (!this.spend(0, 0, onPaid)) onPaid()
    })
    return true
  }

  /** Counts one message, unless those before it were too much for now: then it is to be refused. */
  allows(bytes: number): boolean {
    const now = this.#clock.monotonic()
    if (!this.#messages.holdsOne(now) || !this.#bytes.holdsOne(now)) return false
    this.#messages.spend(1)
    this.#bytes.spend(bytes)
    return true
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}

/** The longest that a timer of Node runs. */
const mostMs = 2_147_483_647
