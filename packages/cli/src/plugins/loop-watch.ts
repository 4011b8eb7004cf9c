import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { Logger } from '@godwit/broker'
import type { CallWatch } from '@godwit/broker/plugin'
import { isTerminal } from '../colors.js'
import type { LogSettings } from '../log.js'
import type { Terminal } from '../terminal.js'
import { beatMs, cells, toldAfterMs, type WatchedCall } from './loop-look.js'

/** Where a line can be written without the broker's thread. */
export interface LineTarget {
  /** A file, or the descriptor of stderr. */
  readonly to: string | number
  readonly format: 'text' | 'json'
}

/** Where the lines of a log go. */
export function lineTargets(
  { format, file, stderr: also, level }: LogSettings,
  { stderr }: Terminal,
): readonly LineTarget[] {
  if (level === 'error') return []
  const formOf = (isText: boolean): LineTarget['format'] =>
    (format === 'auto' ? isText : format === 'text') ? 'text' : 'json'
  return [
    ...(file === undefined ? [] : [{ to: file, format: formOf(false) }]),
    ...((also ?? file === undefined) ? [{ to: 2, format: formOf(isTerminal(stderr)) }] : []),
  ]
}

/** What the thread that watches is given. */
export interface LoopWatchData {
  readonly memory: SharedArrayBuffer
  readonly calls: MessagePort
  readonly targets: readonly LineTarget[]
}

/** What it is told later: a call that may be entered, or where its lines go from now on. */
export type LoopWatchNews = { readonly call: WatchedCall } | { readonly targets: readonly LineTarget[] }

/**
 * Watches the broker's thread from another one, which can still tell when that is blocked: a plugin that never returns would take
 * its own evidence with it. Who calls a plugin says so here; that is a write to memory.
 */
export class LoopWatch implements CallWatch {
  readonly #memory = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT)
  readonly #cell = new Int32Array(this.#memory)
  readonly #calls: WatchedCall[] = []
  #targets: readonly LineTarget[]
  readonly #log: Logger
  #thread: { readonly port: MessagePort; readonly worker: Worker; readonly beat: NodeJS.Timeout } | undefined
  #beatAt = 0

  /**
   * Nothing is watched before the first call is registered.
   * @param targets where the lines of the log go.
   */
  constructor(targets: readonly LineTarget[], log: Logger) {
    this.#targets = targets
    this.#log = log
  }

  #begin(): MessagePort {
    if (this.#thread) return this.#thread.port
    const { port1, port2 } = new MessageChannel()
    port1.unref()
    const workerData: LoopWatchData = { memory: this.#memory, calls: port2, targets: this.#targets }
    const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 }
    const worker = new Worker(new URL('./loop-watch-thread.js', import.meta.url), {
      workerData,
      transferList: [port2],
      resourceLimits,
    })
    worker.unref()
    worker.on('error', ({ message }) => {
      this.#log.log('warn', 'nobody watches for plugins that block', { error: message })
    })
    this.#beatAt = performance.now()
    this.#thread = { port: port1, worker, beat: setInterval(() => this.#beats(), beatMs).unref() }
    return port1
  }

  /** From now on lines go there. */
  tellTo(targets: readonly LineTarget[]): void {
    this.#targets = targets
    this.#thread?.port.postMessage({ targets } satisfies LoopWatchNews)
  }

  register(plugin: string, call: string): number {
    const known = this.#calls.findIndex((one) => one.plugin === plugin && one.call === call)
    if (known >= 0) return known + 1
    const number = this.#calls.push({ plugin, call })
    this.#begin().postMessage({ call: { plugin, call } } satisfies LoopWatchNews)
    return number
  }

  enter(call: number): void {
    // Plain writes: they are seen soon enough, and cost a tenth of ordered ones.
    this.#cell[cells.inside] = call
    this.#cell[cells.last] = call
  }

  leave(): void {
    this.#cell[cells.inside] = 0
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    if (!this.#thread) return
    const { port, worker, beat } = this.#thread
    clearInterval(beat)
    Atomics.store(this.#cell, cells.stop, 1)
    Atomics.notify(this.#cell, cells.stop)
    port.close()
    await worker.terminate()
  }

  #beats(): void {
    Atomics.add(this.#cell, cells.beats, 1)
    const now = performance.now()
    const forMs = Math.round(now - this.#beatAt - beatMs)
    this.#beatAt = now
    if (forMs >= toldAfterMs) this.#log.log('warn', 'the broker goes on, it was blocked', { forMs })
  }
}
