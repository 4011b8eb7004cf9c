import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import type { Outbox } from './outbox.js'

/** Notices a client that takes nothing of what waits for it. */
export class DrainWatch {
  readonly #wheel: TimerWheel
  readonly #drainTimeoutMs: number
  #timer: WheelTimer | undefined

  /** @param drainTimeoutMs 0 = it may take for ever. */
  constructor(wheel: TimerWheel, drainTimeoutMs: number) {
    this.#wheel = wheel
    this.#drainTimeoutMs = drainTimeoutMs
  }

  /** Watches until stopped: a client that drains and is full again by then is not told of twice. */
  start(outbox: Outbox, onStuck: () => void): void {
    if (this.#drainTimeoutMs === 0) return
    this.stop()
    const seen = outbox.progress
    const look = (): void => {
      if (outbox.progress === seen) onStuck()
      else this.start(outbox, onStuck)
    }
    this.#timer = this.#wheel.after(this.#drainTimeoutMs, look, outbox)
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
