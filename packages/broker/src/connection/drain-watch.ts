import type { Limits } from '../limits.js'
import type { TimerWheel, WheelTimer } from '../time/timer-wheel.js'
import type { Outbox } from './outbox.js'

/** While there is no limit (0), how often it is looked whether there is one by now. */
const lookAgainMs = 60_000

/** Notices a client that takes nothing of what waits for it. */
export class DrainWatch {
  readonly #wheel: TimerWheel
  readonly #limits: Pick<Limits, 'drainTimeoutMs'>
  #timer: WheelTimer | undefined

  constructor(wheel: TimerWheel, limits: Pick<Limits, 'drainTimeoutMs'>) {
    this.#wheel = wheel
    this.#limits = limits
  }

  /** Calls `onStuck` when the socket takes nothing for `drainTimeoutMs`. Begins anew when it was started before. */
  start(outbox: Outbox, onStuck: () => void): void {
    this.stop()
    const { drainTimeoutMs } = this.#limits
    const mayTakeForEver = drainTimeoutMs === 0
    const seen = outbox.progress
    const look = (): void => {
      if (outbox.progress === seen && !mayTakeForEver) onStuck()
      else this.start(outbox, onStuck)
    }
    this.#timer = this.#wheel.after(mayTakeForEver ? lookAgainMs : drainTimeoutMs, look, outbox)
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
