import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError } from '../command-error.js'
import { type Usage, usageOf } from './broker-process.js'
import { micros } from './clock.js'
import { Loads } from './loads.js'
import { type BenchResult, resultOf } from './result.js'
import { RetainedMessages } from './retained-messages.js'
import { scenarios } from './scenario.js'
import { arrivedOf, type BenchSettings, expectedOf } from './settings.js'
import type { Tally } from './tally.js'
import type { Times } from './timing.js'

export interface MeasurementOptions {
  /** The broker's process, to be watched. */
  readonly pid?: number
  /** Ends the measurement; what was measured until then is the result. */
  readonly stop: AbortSignal
  /** Told every second how it goes. */
  readonly onProgress?: (progress: Progress) => void
}

/** How it goes. */
export interface Progress {
  readonly phase: 'connecting' | 'warming up' | 'measuring' | 'waiting for the last messages'
  /** Since the load began. */
  readonly seconds: number
  readonly connected: number
  /** Since the last time. */
  readonly messagesPerSecond: number
}

/** How long nothing may come while something should, before it is given up, in microseconds. */
const silence = 5e6
/** How long the last messages are waited for, as long as they keep coming. */
const longestWait = 30e6
/** How often it is looked whether all has come, in milliseconds. */
const lookMs = 20

/**
 * Runs one bench, from the first connection to the last.
 * @throws CommandError when the server cannot be reached, refuses, or goes away.
 */
export async function measure(settings: BenchSettings, options: MeasurementOptions): Promise<BenchResult> {
  const watch = (): Usage | undefined => (options.pid === undefined ? undefined : usageOf(options.pid))
  const retained = scenarios[settings.scenario].retained ? new RetainedMessages(settings) : undefined
  await retained?.publish()
  const loads = await Loads.start(settings)
  try {
    const before = watch()
    const watcher = new Watcher(settings, loads, options)
    const began = micros()
    await watcher.connect()
    const connectSeconds = (micros() - began) / 1e6
    const connected = watch()

    await loads.arm(timesFrom(settings))
    const times = timesFrom(settings)
    const { measureFrom, end } = times
    loads.start(times)
    await watcher.until('warming up', measureFrom)
    const usedBefore = watch()
    await watcher.until('measuring', end)
    const usedAfter = watch()
    const ended = Math.min(end, micros())
    loads.stop(ended)
    const tally = await watcher.lastMessages()
    const usage = before && connected && usedBefore && usedAfter && { before, connected, usedBefore, usedAfter }
    return resultOf(settings, {
      ...{ tally, connectSeconds, seconds: Math.max(0, ended - measureFrom) / 1e6 },
      ...{ latency: loads.latency, connecting: loads.connecting, usage },
    })
  } finally {
    await loads.close()
    await retained?.clear()
  }
}

/** From now on. In whole microseconds, as stamps are: the first message shall count. */
function timesFrom({ warmupSeconds, seconds }: BenchSettings): Times {
  const start = Math.floor(micros())
  const measureFrom = start + warmupSeconds * 1e6
  return { start, measureFrom, end: measureFrom + seconds * 1e6 }
}

/** Waits, and meanwhile looks how far the load has come. */
class Watcher {
  readonly #settings: BenchSettings
  readonly #loads: Loads
  readonly #options: MeasurementOptions
  readonly #began: number = micros()
  /** When something came last. */
  #heard = micros()
  #arrived = 0
  #told = { at: micros(), arrived: 0 }
  #over = false

  constructor(settings: BenchSettings, loads: Loads, options: MeasurementOptions) {
    this.#settings = settings
    this.#loads = loads
    this.#options = options
  }

  /** Waits until all are connected. @throws CommandError when they do not get on, or were stopped. */
  async connect(): Promise<void> {
    let [done, connected] = [false, 0]
    const prepared = this.#loads.prepare().finally(() => {
      done = true
    })
    while (!done) {
      await Promise.race([prepared, this.#pause()])
      if (done) break
      const tally = await this.#loads.tally()
      if (this.#options.stop.aborted) throw new CommandError('stopped before anything was measured')
      if (tally.connected > connected) [connected, this.#heard] = [tally.connected, micros()]
      if (micros() - this.#heard > silence) {
        throw new CommandError(`the server has not answered for ${silence / 1e6} s; ${connected} are connected`)
      }
      this.#tell('connecting', tally)
    }
    await prepared
    this.#heard = micros()
  }

  /** Waits until that time, or until there is nothing more to wait for. */
  async until(phase: Progress['phase'], time: number): Promise<void> {
    while (!this.#over && micros() < time) {
      await this.#pause((time - micros()) / 1000)
      const tally = await this.#look(phase)
      this.#over = this.#options.stop.aborted || this.#isSilent(tally) || this.#isAll(tally)
    }
  }

  /** Waits for what is on its way, as long as some of it comes. */
  async lastMessages(): Promise<Tally> {
    const until = micros() + longestWait
    for (;;) {
      const tally = await this.#look('waiting for the last messages')
      const complete = this.#isComplete(tally) && tally.late === 0
      if (complete || this.#isSilent(tally) || micros() > until) return tally
      await sleep(lookMs)
    }
  }

  async #pause(mostMs = lookMs): Promise<void> {
    await Promise.race([sleep(Math.min(mostMs, lookMs)), this.#loads.failing])
  }

  async #look(phase: Progress['phase']): Promise<Tally> {
    const tally = await this.#loads.tally()
    const arrived = arrivedOf(this.#settings, tally)
    if (arrived > this.#arrived || this.#isComplete(tally)) this.#heard = micros()
    this.#arrived = arrived
    this.#tell(phase, tally)
    return tally
  }

  #isComplete(tally: Tally): boolean {
    const acknowledged = this.#settings.qos === 0 || tally.acknowledged >= tally.sent || this.#settings.pubs === 0
    return acknowledged && arrivedOf(this.#settings, tally) >= expectedOf(this.#settings, tally)
  }

  #isSilent(tally: Tally): boolean {
    return !this.#isComplete(tally) && micros() - this.#heard > silence
  }

  /** Whether `--count` has been reached. */
  #isAll(tally: Tally): boolean {
    const { count = Number.POSITIVE_INFINITY, pubs } = this.#settings
    return pubs > 0 ? tally.sent >= count && this.#isComplete(tally) : tally.received >= count
  }

  #tell(phase: Progress['phase'], { connected }: Tally): void {
    const now = micros()
    const { at, arrived } = this.#told
    if (now - at < 1e6) return
    const messagesPerSecond = (this.#arrived - arrived) / ((now - at) / 1e6)
    this.#options.onProgress?.({ phase, seconds: (now - this.#began) / 1e6, connected, messagesPerSecond })
    this.#told = { at: now, arrived: this.#arrived }
  }
}
