import type { Logger } from '@godwit/broker'
import type { Resolved } from '../config/resolve.js'
import { inForceAfter, isTakenUp } from '../config/taken-up.js'
import { changedSettings } from './changed-settings.js'
import type { ReloadAnswer } from './control-protocol.js'

/** A part of a running broker that follows its configuration. */
export interface Reloadable {
  /**
   * Looks at a configuration, and makes ready what it needs of it beside what is in force. Nobody notices anything yet.
   * @param next is whole and of the right form. What of it is as it was is for the part to see; files may differ all the same.
   * @returns `undefined`: there is nothing to take up.
   * @throws what is wrong with it, with its place: then nothing has changed, and nothing is left over.
   */
  prepare(next: Resolved): Promise<Prepared | undefined>
}

/** What a part has made ready: one of `commit` and `abandon` is called, once. */
export interface Prepared {
  /** What is taken up, each in words that follow `reloaded: `: `password file`, `limits.maxInflight`. May be none. */
  readonly reloaded: readonly string[]
  /** Settings of the part that hold from the next start on only, by name, where `takenUp` cannot tell. Default: none. */
  readonly needsRestart?: readonly string[] | undefined
  /**
   * Takes it up; it must not fail. What others can notice changes before it returns, so that all parts change in one turn.
   * What is to be done beside that, as ending what was in force before, goes on in the promise, which the answer waits for.
   */
  commit(): Promise<void> | void
  /** Gives it up, since another part cannot take up its own; it must not fail. */
  abandon(): Promise<void> | void
}

interface ReloadingOptions {
  /** What holds since the start. */
  readonly started: Resolved
  /** What file, environment and flags say now; throws where they are wrong. */
  readonly read: () => Resolved
  /** Looks at the whole first, as a start would; throws where it is wrong. */
  readonly check: (next: Resolved) => void | Promise<void>
  /** Prepared and committed in this order, abandoned in the other. */
  readonly parts: readonly Reloadable[]
  readonly log: Logger
}

/** Makes a running broker follow its configuration: all of it is taken up, or nothing. */
export class Reloading {
  readonly #options: ReloadingOptions
  #inForce: Resolved
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ReloadingOptions) {
    this.#options = options
    this.#inForce = options.started
  }

  /** What holds now: what was taken up last, and of the start what needs a restart. */
  get inForce(): Resolved {
    return this.#inForce
  }

  /**
   * One after another, whoever asks.
   * @throws what is wrong. All stays as it was then.
   */
  reload(): Promise<ReloadAnswer> {
    const next = this.#last.then(() => this.#reload())
    this.#last = next.catch(() => {})
    return next
  }

  async #reload(): Promise<ReloadAnswer> {
    const { log, started, read, check } = this.#options
    try {
      const next = read()
      await check(next)
      const prepared = await this.#prepare(next)
      const reloaded = [...new Set(prepared.flatMap((part) => part.reloaded))]
      const changed = changedSettings(started.config, next.config).filter((name) => !isTakenUp(name))
      const needsRestart = [...new Set([...changed, ...prepared.flatMap((part) => part.needsRestart ?? [])])]
      this.#inForce = inForceAfter(started, next, needsRestart)
      await this.#commit(prepared)
      for (const name of needsRestart) log.log('warn', `${name} has changed: needs a restart`)
      log.log('info', 'reloaded', reloaded.length > 0 ? { what: reloaded.join(', ') } : {})
      return { ok: true, reloaded, needsRestart }
    } catch (error) {
      log.log('error', 'not reloaded', { error: inWords(error) })
      throw error
    }
  }

  /** Of all parts, or of none. */
  async #prepare(next: Resolved): Promise<readonly Prepared[]> {
    const prepared: Prepared[] = []
    try {
      for (const part of this.#options.parts) {
        const ready = await part.prepare(next)
        if (ready) prepared.push(ready)
      }
      return prepared
    } catch (error) {
      for (const part of prepared.reverse()) await this.#contained('giving up what was prepared', () => part.abandon())
      throw error
    }
  }

  /** In one turn, and then what is to be done beside it. */
  async #commit(prepared: readonly Prepared[]): Promise<void> {
    await Promise.all(prepared.map((part) => this.#contained('taking up the configuration', () => part.commit())))
  }

  /** What must not fail and does is told, and keeps nothing else from being done. */
  async #contained(doing: string, run: () => Promise<void> | void): Promise<void> {
    try {
      await run()
    } catch (error) {
      this.#options.log.log('error', `${doing} failed in part`, { error: inWords(error) })
    }
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
