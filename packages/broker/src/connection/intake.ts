import type { Services } from '../handlers/context.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel } from '../time/timer-wheel.js'
import type { Transport } from '../transport/transport.js'
import { KeepAlive } from './keep-alive.js'
import { PublishRate } from './publish-rate.js'

/** What the intake of a connection works with. */
interface IntakeParts {
  readonly services: Services
  readonly clock: Clock
  readonly wheel: TimerWheel
}

/** Whether a client is read from now, and whether it is heard at all. */
export class Intake {
  readonly keepAlive: KeepAlive
  readonly #transport: Transport
  readonly #parts: IntakeParts
  /** Made with the first publication. */
  #publishRate: PublishRate | undefined

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

  pause(): void {
    this.keepAlive.listening = false
    this.#transport.pause()
  }

  listen(): void {
    if (this.#publishRate?.exceeded) return // it follows when that is paid
    this.keepAlive.listening = true
    this.#transport.resume()
  }

  stop(): void {
    this.keepAlive.stop()
    this.#publishRate?.stop()
  }
}
