import type { Clock } from './clock.js'

/** A timer this late says that this process slept or was busy, and nothing about the server. */
const lateMs = 250

interface KeepAliveEvents {
  /** PINGREQ is due. */
  ping(): void
  /** The server has not answered. */
  dead(): void
}

/**
 * Keep Alive on two clocks (section 3.1.2.10). What was last sent says when the server needs to hear from us; what was
 * last received says when we need to hear from the server. PINGREQ goes out for either, so that a client that only
 * publishes notices a dead server too.
 */
export class KeepAlive {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #pingTimeoutMs: number
  readonly #events: KeepAliveEvents
  #lastSent: number
  #lastReceived: number
  #pingSent: number | undefined
  #wakeAt = 0
  #cancel: () => void = () => {}
  #reading = true

  constructor(clock: Clock, keepAliveSeconds: number, pingTimeoutMs: number, events: KeepAliveEvents) {
    this.#clock = clock
    // A tenth earlier: the gap between packets may not exceed Keep Alive [MQTT-3.1.2-23], and timers run late.
    this.#intervalMs = keepAliveSeconds * 900
    this.#pingTimeoutMs = pingTimeoutMs
    this.#events = events
    this.#lastSent = this.#lastReceived = clock.now()
    if (keepAliveSeconds > 0) this.#schedule()
  }

  sent(): void {
    this.#lastSent = this.#clock.now()
  }

  received(): void {
    this.#lastReceived = this.#clock.now()
    if (this.#pingSent === undefined) return
    this.#pingSent = undefined
    this.#schedule()
  }

  /** The stream took bytes it had refused: the server reads, though its answer may be far behind. */
  progressed(): void {
    if (this.#pingSent !== undefined) this.#pingSent = this.#clock.now()
  }

  /** While this side does not read it cannot blame the server for silence. */
  setReading(reading: boolean): void {
    this.#reading = reading
    if (reading) this.progressed()
  }

  stop(): void {
    this.#cancel()
  }

  #schedule(): void {
    this.#cancel()
    this.#wakeAt =
      this.#pingSent === undefined
        ? Math.min(this.#lastSent, this.#lastReceived) + this.#intervalMs
        : this.#pingSent + this.#pingTimeoutMs
    this.#cancel = this.#clock.after(Math.max(0, this.#wakeAt - this.#clock.now()), () => this.#wake())
  }

  #wake(): void {
    const now = this.#clock.now()
    const late = now - this.#wakeAt > lateMs
    if (this.#pingSent === undefined) {
      if (now >= Math.min(this.#lastSent, this.#lastReceived) + this.#intervalMs) this.#ping(now)
    } else if (now >= this.#pingSent + this.#pingTimeoutMs) {
      if (!late && this.#reading) return this.#events.dead()
      // The answer may be waiting unread: ask again instead of judging.
      this.#ping(now)
    }
    this.#schedule()
  }

  #ping(now: number): void {
    this.#pingSent = now
    this.#events.ping()
  }
}
