import type { Owner } from '../faults.js'
import type { Clock } from '../time/clock.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'

/**
 * Notices a client that has sent nothing for one and a half times its Keep Alive [MQTT-3.1.2-24]. A packet costs one
 * number written; the timer looks at it when it is due and sets itself again. Silence counts as far as the sockets have
 * been read, not up to now: between the two the process may have been stopped.
 */
export class KeepAlive {
  readonly #clock: Clock
  readonly #wheel: TimerWheel
  #timer: WheelTimer | undefined
  /** When the client was last heard, on the monotonic clock. */
  #heard = 0
  #listening = true
  /** The Keep Alive in force; 0: none. */
  seconds = 0
  /** Whole seconds since 1970: a small number, which needs no memory of its own. */
  #since = 0

  constructor(clock: Clock, wheel: TimerWheel) {
    this.#clock = clock
    this.#wheel = wheel
  }

  heard(): void {
    this.#heard = this.#clock.monotonic()
  }

  /** False while the broker reads nothing from the client: the silence is not the client's then. */
  set listening(listening: boolean) {
    this.#listening = listening
    this.heard()
  }

  /** Since when there is a client, in epoch ms. */
  get since(): number {
    return this.#since * 1000
  }

  /** Keep Alive 0 = the client need not send anything. */
  start(keepAliveSeconds: number, onSilence: () => void, owner?: Owner): void {
    this.seconds = keepAliveSeconds
    this.#since = Math.floor(this.#clock.now() / 1000)
    if (keepAliveSeconds === 0) return
    this.heard()
    this.#watch(keepAliveSeconds * 1500, keepAliveSeconds * 1500, onSilence, owner)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #watch(ms: number, graceMs: number, onSilence: () => void, owner: Owner | undefined): void {
    const look = (): void => {
      if (!this.#listening) this.heard()
      const left = this.#heard + graceMs - this.#wheel.readUpTo
      if (left > 0) this.#watch(left, graceMs, onSilence, owner)
      else onSilence()
    }
    this.#timer = this.#wheel.after(ms, look, owner)
  }
}
