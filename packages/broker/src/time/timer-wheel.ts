import { Faults, type Owner } from '../faults.js'
import type { Clock } from './clock.js'

const tickMs = 1000
/** Of the last tick in {@link TimerWheel.lateMs}: one pause alone is not overload, three late ticks are. */
const weightOfLast = 0.4
/** A first late tick counts no more than this, however long the pause was. */
const mostOfFirstMs = 2000
/** A tick this late says that sockets may have waited unread: they are read before anybody is taken for silent. */
const pauseMs = 100
/** Callbacks run before the event loop goes round: many thousand sessions may be due in one second. */
const callbacksATurn = 1_000

/** One running timer of a {@link TimerWheel}. */
export interface WheelTimer {
  cancel(): void
}

/** One object a timer: there is one for each connection and more. */
class Timer implements WheelTimer {
  readonly due: number
  readonly callback: (owner: never) => void
  readonly owner: Owner | undefined
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel, due: number, callback: (owner: never) => void, owner: Owner | undefined) {
    this.#wheel = wheel
    this.due = due
    this.callback = callback
    this.owner = owner
  }

  cancel(): void {
    this.#wheel.remove(this)
  }
}

/**
 * All of the broker's timeouts on one clock tick a second: keep-alive, connect and drain timeouts, session expiry.
 * Setting and cancelling cost a set operation whatever the number of timers; a callback runs within one second after
 * it is due, or, when the process was stopped meanwhile, once the sockets have been read; when very many are due at once, in
 * one of the turns after that. Any duration is fine (Node's own timers end at 2^31 − 1 ms).
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #faults: Faults
  readonly #origin: number
  /** Tick number → timers due at it. */
  readonly #ticks = new Map<number, Set<Timer>>()
  #done = 0
  /** The tick that time has reached; those after `#done` up to it are being run. */
  #reached = 0
  #isRunning = false
  #cancelTick: (() => void) | undefined
  /** Ms by which ticks come late, the last ones counting most: how long whoever waits for the event loop waits. */
  lateMs = 0
  #lastLate = 0
  /** Ms in which the process did not run, as long as there were timers. */
  pausedMs = 0
  /** All that came before this moment, on the monotonic clock, has been read: silence is judged by it. */
  readUpTo: number
  /** A late tick waits for the sockets to be read. */
  #isReading = false

  constructor(clock: Clock, faults: Faults = new Faults()) {
    this.#clock = clock
    this.#faults = faults
    this.#origin = clock.monotonic()
    this.readUpTo = this.#origin
  }

  /**
   * Runs `callback` once, between `ms` and `ms` + 1 s from now.
   * @param owner whom it is for, and what `callback` is called with: one function can serve many. Default: the broker itself.
   */
  after(ms: number, callback: () => void, owner?: Owner): WheelTimer
  after<T extends Owner>(ms: number, callback: (owner: T) => void, owner: T): WheelTimer
  after(ms: number, callback: (owner: never) => void, owner?: Owner): WheelTimer {
    const elapsed = this.#clock.monotonic() - this.#origin
    if (this.#ticks.size === 0) this.#done = Math.max(this.#done, Math.floor(elapsed / tickMs)) // nothing was due meanwhile
    const due = Math.max(Math.ceil((elapsed + ms) / tickMs), (this.#isRunning ? this.#reached : this.#done) + 1)
    const timers = this.#ticks.get(due) ?? new Set<Timer>()
    const timer = new Timer(this, due, callback, owner)
    this.#ticks.set(due, timers.add(timer))
    if (!this.#cancelTick) {
      this.lateMs = this.#lastLate = 0 // nothing is known of how it was meanwhile
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
    for (const timers of this.#ticks.values()) timers.clear() // also those being run
    this.#ticks.clear()
  }

  #arm(): void {
    const elapsed = this.#clock.monotonic() - this.#origin
    const next = (Math.floor(elapsed / tickMs) + 1) * tickMs
    this.#cancelTick = this.#clock.timeout(Math.ceil(next - elapsed), () => this.#tick(next))
  }

  #tick(expected: number): void {
    this.#cancelTick = undefined
    const now = this.#clock.monotonic()
    const late = Math.max(0, now - this.#origin - expected)
    const counts = Math.min(late, Math.max(this.#lastLate, mostOfFirstMs))
    this.lateMs += (counts - this.lateMs) * weightOfLast
    this.#lastLate = late
    if (this.#ticks.size === 0) return // nothing to wait for: the next `after` starts it again
    this.#arm()
    if (this.#isReading) return // what is due follows with the next tick
    if (late < pauseMs || !this.#clock.afterReading) return this.#runDue(now)
    this.pausedMs += late
    this.#isReading = true
    this.#clock.afterReading(() => {
      this.#isReading = false
      this.#runDue(now)
    })
  }

  /** @param readUpTo what is due later waits, also when the process was stopped since. */
  #runDue(readUpTo: number): void {
    this.readUpTo = readUpTo
    this.#reached = Math.floor((readUpTo - this.#origin) / tickMs)
    if (!this.#isRunning) this.#run()
  }

  /** Runs what is due, in its order; after many of them, the rest in the next turn. */
  readonly #run = (): void => {
    let left = callbacksATurn
    this.#isRunning = true
    while (this.#done < this.#reached) {
      const tick = this.#done + 1
      for (const timer of this.#ticks.get(tick) ?? []) {
        if (left-- === 0) return void setImmediate(this.#run)
        this.remove(timer) // one may cancel another of the same tick
        this.#call(timer)
      }
      if (!this.#ticks.has(tick)) this.#done = tick
    }
    this.#isRunning = false
  }

  #call({ callback, owner }: Timer): void {
    try {
      callback(owner as never)
    } catch (error) {
      this.#faults.contain(error, owner, 'a timer that was due')
    }
  }
}
