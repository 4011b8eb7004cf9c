import type { Accounts } from '../accounts.js'
import type { Owner } from '../faults.js'
import type { Services } from '../handlers/context.js'
import type { Store } from '../store/store.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel } from '../time/timer-wheel.js'
import type { Transport } from '../transport/transport.js'
import type { Commits } from './commits.js'
import { ConnectionShare, shareBytes } from './connection-share.js'
import { KeepAlive } from './keep-alive.js'
import { PublishRate } from './publish-rate.js'

/** What the intake of a connection works with. */
interface IntakeParts {
  readonly services: Services
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly accounts: Accounts
  readonly store: Pick<Store, 'full' | 'latest' | 'gathered'>
  readonly outbox: { readonly commits: Commits }
}

/** Whether a client is read from now, and whether it is heard at all. */
export class Intake {
  readonly keepAlive: KeepAlive
  readonly #transport: Transport
  readonly #parts: IntakeParts
  /** Made with the first publication. */
  #publishRate: PublishRate | undefined
  /** What its packets have made the store gather. */
  readonly #share = new ConnectionShare()
  /** Nothing is read from it until that is on disk. */
  waitsForStore = false

  constructor(transport: Transport, parts: IntakeParts) {
    this.#transport = transport
    this.#parts = parts
    this.keepAlive = new KeepAlive(parts.clock, parts.wheel)
  }

  get publishRate(): PublishRate {
    this.#publishRate ??= new PublishRate(this.#parts.services.limits, this.#parts.clock)
    return this.#publishRate
  }

  /** Counts what a chunk has brought: a client that publishes faster than it may is read from later. */
  spend(messages: number, bytes: number, onPaid: () => void): void {
    const { features, metrics } = this.#parts.services
    if (features.publishBeyondRate === 'refuse' || !this.publishRate.spend(messages, bytes, onPaid)) return
    metrics.publishersSlowed++
    this.pause()
  }

  /**
   * Counts what its packets have made the store gather since that had gathered so much. A client that outruns the disk is
   * slowed down by its transport, not buffered: when it has more waiting than its share, or adds to what is too much for all.
   * @param replyBytes that wait for commits. @param onStored when it may be read from again. @param owner whom that is for.
   */
  stored(gatheredBefore: number, replyBytes: number, onStored: () => void, owner: Owner): void {
    const { store, accounts, outbox } = this.#parts
    const grown = store.gathered - gatheredBefore
    if (grown > 0) this.#share.add(store.latest, grown)
    if (this.waitsForStore) return
    const isOver = this.#share.waiting(outbox.commits.flushed) + replyBytes > shareBytes(accounts.waiting)
    if (!isOver && !(store.full && grown > 0)) return
    this.waitsForStore = true
    this.pause()
    const goOn = (): void => {
      this.waitsForStore = false
      onStored()
    }
    outbox.commits.after(store.latest, goOn, owner)
  }

  pause(): void {
    this.keepAlive.listening = false
    this.#transport.pause()
  }

  listen(): void {
    if (this.#publishRate?.exceeded || this.waitsForStore) return // it follows when that is over
    this.keepAlive.listening = true
    this.#transport.resume()
  }

  stop(): void {
    this.keepAlive.stop()
    this.#publishRate?.stop()
  }
}
