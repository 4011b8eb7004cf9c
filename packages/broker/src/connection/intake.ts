import type { Owner } from '../faults.js'
import type { Transport } from '../transport/transport.js'
import type { ConnectionParts } from './connection-parts.js'
import { ConnectionShare, shareBytes } from './connection-share.js'
import { KeepAlive } from './keep-alive.js'
import { PublishRate } from './publish-rate.js'

type IntakeParts = Pick<
  ConnectionParts,
  'services' | 'clock' | 'wheel' | 'accounts' | 'publishRates' | 'store' | 'outbox'
>

/** Why a client is not read from. */
export const because = {
  /** A handler waits for a hook. */
  hook: 1,
  /** What was answered has to go out first. */
  replies: 2,
  /** What came in one chunk was a lot: the others have their turn. */
  turn: 4,
  /** More waits for its socket than even replies should. */
  outbox: 8,
  /** It has more waiting for the disk than its share. */
  store: 16,
  /** It publishes faster than it may. */
  rate: 32,
  /** It is gone. */
  over: 64,
  /** Its packet has come in part, and there is too much of that. */
  partial: 128,
} as const

export type Because = (typeof because)[keyof typeof because]

/** While there is one of these reasons, packets that have come already are not handled either. */
const unhandled = because.hook | because.replies | because.turn | because.over

/**
 * Whether a client is read from, and whether it is heard at all. Each reason not to read comes and goes by itself; while there is none,
 * its transport flows.
 */
export class Intake {
  readonly keepAlive: KeepAlive
  readonly #transport: Transport
  readonly #parts: IntakeParts
  /** Made with the first publication. */
  #publishRate: PublishRate | undefined
  /** Bytes of this client's packets that wait for the disk. */
  readonly #share = new ConnectionShare()
  readonly #owner: Owner
  #reasons = 0

  /** @param owner whose it is: a failure of what it does by itself ends that. */
  constructor(transport: Transport, parts: IntakeParts, owner: Owner) {
    this.#transport = transport
    this.#parts = parts
    this.#owner = owner
    this.keepAlive = new KeepAlive(parts.clock, parts.wheel)
  }

  get publishRate(): PublishRate {
    this.#publishRate ??= new PublishRate(this.#parts.publishRates, this.#parts.clock)
    return this.#publishRate
  }

  /** Whether packets are handled. */
  get handles(): boolean {
    return (this.#reasons & unhandled) === 0
  }

  has(reason: Because): boolean {
    return (this.#reasons & reason) !== 0
  }

  /** Reads nothing more until this reason is gone, and all others. */
  stop(reason: Because): void {
    if (this.#reasons === 0) {
      this.keepAlive.listening = false
      this.#transport.pause()
    }
    this.#reasons |= reason
  }

  /** This reason is gone. */
  go(reason: Because): void {
    if (!this.has(reason)) return
    this.#reasons &= ~reason
    if (this.#reasons !== 0) return
    this.keepAlive.listening = true
    this.#transport.resume()
  }

  /** Counts what a chunk has brought: a client that publishes faster than it may is read from later. */
  spend(messages: number, bytes: number): void {
    const { features, metrics } = this.#parts.services
    if (features.publishBeyondRate === 'refuse' || !this.publishRate.spend(messages, bytes, this.#onPaid)) return
    metrics.publishersSlowed++
    this.stop(because.rate)
  }

  readonly #onPaid = (): void => {
    try {
      this.go(because.rate)
    } catch (error) {
      this.#parts.services.faults.contain(error, this.#owner, 'its connection')
    }
  }

  /**
   * Counts the bytes that the client's packets have added to the coming commit. A client that is faster than the disk is not read from
   * until that commit is flushed: when more of it waits than its share, or when it adds to what is too much for all.
   * @param gatheredBefore what the store had gathered before its packets were handled.
   * @param replyBytes memory of its replies that wait for commits.
   */
  stored(gatheredBefore: number, replyBytes: number): void {
    const { store, accounts, outbox } = this.#parts
    const grown = store.gathered - gatheredBefore
    if (grown > 0) this.#share.add(store.latest, grown)
    else if (replyBytes === 0) return
    if (this.has(because.store)) return
    const isOver = this.#share.waiting(outbox.commits.flushed) + replyBytes > shareBytes(accounts.waiting)
    if (!isOver && !(store.full && grown > 0)) return
    this.stop(because.store)
    outbox.commits.after(store.latest, () => this.go(because.store), this.#owner)
  }

  end(): void {
    this.#reasons |= because.over
    this.keepAlive.stop()
    this.#publishRate?.stop()
  }
}
