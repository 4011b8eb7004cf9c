import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@godwit/broker'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import { changedSettings } from './changed-settings.js'
import type { ReloadAnswer } from './control-protocol.js'

/** Something of a running broker that can be read again. */
export interface Reloadable {
  /** What it is that is read, in words: `password file`. */
  readonly names: readonly string[]
  /** The settings it was made from. Where they have changed, it stays as it is until the next start. */
  madeFrom(config: Config): unknown
  /** Reads it again, or throws and changes nothing. */
  reload(): Promise<void>
}

export interface ReloadingOptions {
  /** What holds since the start. */
  readonly started: Resolved
  /** What file, environment and flags say now; throws where they are wrong. */
  readonly read: () => Resolved
  /** Tries with throw-away parts whether a broker could start with that; throws where it could not. */
  readonly tried: (settings: Resolved) => Promise<void>
  readonly parts: readonly Reloadable[]
  readonly log: Logger
}

/** Makes a running broker read its configuration again: all of it is looked at before anything of it is taken up. */
export class Reloading {
  readonly #options: ReloadingOptions
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ReloadingOptions) {
    this.#options = options
  }

  /**
   * One after another, whoever asks.
   * @throws what is wrong. All stays as it was then, unless a file was broken after it had been looked at.
   */
  reload(): Promise<ReloadAnswer> {
    const next = this.#last.then(() => this.#reload())
    this.#last = next.catch(() => {})
    return next
  }

  async #reload(): Promise<ReloadAnswer> {
    const { log } = this.#options
    try {
      const answer = await this.#readAgain()
      for (const name of answer.needsRestart) log.log('warn', `${name} has changed: needs a restart`)
      log.log('info', 'reloaded')
      return answer
    } catch (error) {
      log.log('error', 'not reloaded', { error: error instanceof Error ? error.message : String(error) })
      throw error
    }
  }

  async #readAgain(): Promise<ReloadAnswer> {
    const { started, read, tried, parts } = this.#options
    const settings = read()
    await tried(settings)
    const again = parts.filter((part) =>
      isDeepStrictEqual(part.madeFrom(started.config), part.madeFrom(settings.config)),
    )
    // What was right a moment ago fails only when somebody breaks it just now; then it is told, and the rest is taken up.
    const results = await Promise.allSettled(again.map((part) => part.reload()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    const reloaded = [...new Set(again.flatMap(({ names }) => names))]
    return { ok: true, reloaded, needsRestart: changedSettings(started.config, settings.config) }
  }
}
