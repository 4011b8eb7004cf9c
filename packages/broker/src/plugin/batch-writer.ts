import { QuietLines } from '../log.js'
import { inWords } from './in-words.js'
import { type CheckedOutlet, MessageRefusedError, type OutletCounts, type OutletMessage } from './outlet-options.js'
import type { OutletStanding } from './outlet-view.js'
import { pause } from './pause.js'
import type { PluginContext } from './plugin.js'

/** Writes batches, each until it is written, and tells and counts what becomes of them. */
export class BatchWriter {
  readonly counts: OutletCounts = { written: 0, batches: 0, failed: 0, refused: 0 }
  readonly #options: CheckedOutlet
  readonly #plugin: Pick<PluginContext, 'log' | 'clock'>
  readonly #standing: OutletStanding
  readonly #onRefused: (message: OutletMessage, why: string) => Promise<void>
  readonly #lines: QuietLines
  /** Since when the destination fails, in monotonic ms. */
  #failingSince: number | undefined
  /** Ends the attempt under way. */
  #attempt: AbortController | undefined

  /** @param onRefused is given a message that the destination will not have. */
  constructor(
    options: CheckedOutlet,
    plugin: Pick<PluginContext, 'log' | 'clock'>,
    standing: OutletStanding,
    onRefused: (message: OutletMessage, why: string) => Promise<void>,
  ) {
    this.#options = options
    this.#plugin = plugin
    this.#standing = standing
    this.#onRefused = onRefused
    this.#lines = new QuietLines(plugin.log, (ms, callback) => void plugin.clock.timeout(ms, callback))
  }

  /**
   * Writes a batch, again and again, until the destination has it or refuses it.
   * @param over nothing is begun any more once it is aborted.
   * @param done is told of messages that are written or set aside, in order.
   */
  async write(
    batch: readonly OutletMessage[],
    over: AbortSignal,
    done: (messages: readonly OutletMessage[]) => void,
  ): Promise<void> {
    for (let attempt = 1; !over.aborted; attempt++) {
      try {
        await this.#try(batch, attempt)
        this.#written(batch)
        return done(batch)
      } catch (error) {
        if (error instanceof MessageRefusedError) return this.#findRefused(batch, error, over, done)
        if (!over.aborted) await this.#failed(batch, error, attempt, over)
      }
    }
  }

  /** Ends the attempt under way, if there is one. */
  cutOff(): void {
    this.#attempt?.abort(new Error('the plugin has ended'))
  }

  async #try(batch: readonly OutletMessage[], attempt: number): Promise<void> {
    const { timeoutMs, write } = this.#options
    const ending = new AbortController()
    this.#attempt = ending
    const late = new Promise<never>((_, reject) => {
      ending.signal.addEventListener('abort', () => reject(ending.signal.reason as Error), { once: true })
    })
    const cancel = this.#plugin.clock.timeout(timeoutMs, () => ending.abort(new Error(`no answer in ${timeoutMs} ms`)))
    try {
      await Promise.race([write(batch, { signal: ending.signal, attempt }), late])
    } finally {
      cancel()
      this.#attempt = undefined
    }
  }

  #written(batch: readonly OutletMessage[]): void {
    this.counts.written += batch.length
    this.counts.batches++
    this.#standing.goesOn('destination')
    if (this.#failingSince === undefined) return
    const afterMs = Math.round(this.#plugin.clock.monotonic() - this.#failingSince)
    this.#plugin.log.log('info', 'messages go out again', { afterMs })
    this.#failingSince = undefined
  }

  async #failed(batch: readonly OutletMessage[], error: unknown, attempt: number, over: AbortSignal): Promise<void> {
    const { firstRetryMs, mostRetryMs } = this.#options
    const { clock } = this.#plugin
    this.counts.failed++
    this.#standing.fails('destination', inWords(error))
    this.#failingSince ??= clock.monotonic()
    const retryMs = Math.min(firstRetryMs * 2 ** Math.min(attempt - 1, 30), mostRetryMs)
    this.#lines.tell({
      level: 'warn',
      kind: 'failed',
      one: 'messages wait: writing them failed, and is tried again',
      many: 'attempts failed',
      fields: { error: inWords(error), messages: batch.length, retryMs },
      common: { error: inWords(error) },
    })
    await pause(retryMs, clock, over)
  }

  /** One message alone is to blame: by halves it is found, and the order stays. */
  async #findRefused(
    batch: readonly OutletMessage[],
    why: MessageRefusedError,
    over: AbortSignal,
    done: (messages: readonly OutletMessage[]) => void,
  ): Promise<void> {
    const [message] = batch
    this.#standing.goesOn('destination') // it answers
    if (batch.length > 1) {
      const half = Math.ceil(batch.length / 2)
      await this.write(batch.slice(0, half), over, done)
      await this.write(batch.slice(half), over, done)
    } else if (message) {
      this.counts.refused++
      const { topic, id } = message
      this.#lines.tell({
        level: 'warn',
        kind: 'refused',
        one: 'message refused, and set aside',
        many: 'messages refused',
        fields: { topic, id, error: inWords(why) },
        common: { error: inWords(why) },
      })
      await this.#onRefused(message, inWords(why))
      done(batch)
    }
  }
}
