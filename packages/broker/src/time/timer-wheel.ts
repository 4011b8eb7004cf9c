import type { Clock } from './clock.js'

const tickMs = 1000
/** Of the last tick in {@link TimerWheel.lateMs}: one pause alone is not overload, three late ticks are. */
const weightOfLast = 0.4

/** One running timer of a {@link TimerWheel}. */
export interface WheelTimer {
  cancel(): void
}

/** One object a timer: there is one for each connection and more. */
class Timer implements WheelTimer {
  readonly due: number
  readonly callback: () => void
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel, due: number, callback: () => void) {
    this.#wheel = wheel
    this.due = due
    this.callback = callback
  }

  cancel(): void {
    this.#wheel.remove(this)
  }
}

/**
 * All of the broker's timeouts on one clock tick a second: keep-alive, connect and drain timeouts, session expiry.
 * Setting and cancelling cost a set operation whatever the number of timers; a callback runs within one second after
 * it is due. Any duration is fine (Node's own timers end at 2^31 − 1 ms).
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #origin: number
  /** Tick number → timers due at it. */
  readonly #ticks = new Map<number, Set<Timer>>()
  #done = 0
  #cancelTick: (() => void) | undefined
  /** Ms by which ticks come late, the last ones counting most: how long whoever waits for the event loop waits. */
  lateMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#origin = clock.monotonic()
  }

  /** Runs `callback` once, between `ms` and `ms` + 1 s from now. */
  after(ms: number, callback: () => void): WheelTimer {
    const elapsed = this.#clock.monotonic() - this.#origin
    if (this.#ticks.size === 0) this.#done = Math.max(this.#done, Math.floor(elapsed / tickMs)) // nothing was due meanwhile
    const due = Math.max(Math.ceil((elapsed + ms) / tickMs), this.#done + 1)
    const timers = this.#ticks.get(due) ?? new Set<Timer>()
    const timer = new Timer(this, due, callback)
    this.#ticks.set(due, timers.add(timer))
    if (!this.#cancelTick) {
      this.lateMs = 0 // nothing is known of how it was meanwhile
      this.#arm()
    }
    return timer
  }

  /** Of {@link WheelTimer}. */
  remove(timer: Timer): void {
    const timers = this.#ticks.get(timer.due)
    if (timers?.delete(timer) && timers.size === 0) this.#ticks.delete(timer.due)
  }

  /** Forgets all timers. */
  close(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#ticks.clear()
  }

  #arm(): void {
    const elapsed = this.#clock.monotonic() - this.#origin
    const next = (Math.floor(elapsed / tickMs) + 1) * tickMs
    this.#cancelTick = this.#clock.timeout(Math.ceil(next - elapsed), () => this.#tick(next))
  }

  /** The next tick is set before the callbacks run: one that throws must not stop time. */
  #tick(expected: number): void {
    this.#cancelTick = undefined
    const late = this.#clock.monotonic() - this.#origin - expected
    this.lateMs += (Math.max(0, late) - this.lateMs) * weightOfLast
    if (this.#ticks.size === 0) return // nothing to wait for: the next `after` starts it again
    this.#arm()
    const reached = Math.floor((this.#clock.monotonic() - this.#origin) / tickMs)
    while (this.#done < reached) {
      const due = this.#ticks.get(++this.#done)
      if (!due) continue
      try {
        for (const timer of due) timer.callback() // one may cancel another of the same tick
      } finally {
        this.#ticks.delete(this.#done)
      }
    }
  }
}
