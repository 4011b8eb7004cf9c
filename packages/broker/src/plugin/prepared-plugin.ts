import type { Authenticator } from '../access/identity.js'
import type { Broker } from '../broker.js'
import { BrokerError } from '../errors.js'
import { checkHook, hookFunctions } from '../hooks/hook-names.js'
import type { Hooks } from '../hooks/hooks.js'
import { type Logger, silentLogger, unfailing } from '../log.js'
import { type Clock, systemClock } from '../time/clock.js'
import { checkPlugin, checkPluginName, optionsFor } from './check-plugin.js'
import { inWords } from './in-words.js'
import type { OutletView } from './outlet-view.js'
import type { Plugin, PluginContext } from './plugin.js'
import { outletsOf, withWatching } from './watched-call.js'

/** Who wants to know when a function of a plugin is entered and left, such as a watch over the event loop. */
export interface CallWatch {
  /** @returns the number that stands for it from now on. */
  register(plugin: string, call: string): number
  enter(call: number): void
  leave(): void
}

export interface PrepareOptions {
  /** In place of the plugin's own name, as when it runs twice. */
  readonly name?: string
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** Default: nobody. */
  readonly watch?: CallWatch
  /** Milliseconds `start` may take. Default 30,000. */
  readonly startMs?: number
  /** Milliseconds `stop` is waited for. Default 10,000. */
  readonly stopMs?: number
  /** Milliseconds a hook may take to answer a promise; then it has failed, and refuses what it was asked. Default 30,000. */
  readonly hookMs?: number
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

/** One run of a plugin, with its options: not started yet, or started, or stopped. */
export interface PreparedPlugin {
  readonly name: string
  /** For `createBroker`, or `broker.reconfigure`. Empty where it has none. */
  readonly hooks: readonly Hooks[]
  /** For an `authenticationChain`. */
  readonly authenticator: Authenticator | undefined
  /** Whether it says who may come in. */
  readonly authenticates: boolean
  /**
   * Starts it, once.
   * @throws BrokerError `plugin-failed`; it has been stopped then.
   */
  start(broker: Broker): Promise<void>
  /** Stops it. What fails or takes too long is told in the log. Repeating it is harmless. */
  stop(): Promise<void>
  /** What it has counted; empty where it counts nothing, or fails in it. */
  counts(): Readonly<Record<string, number>>
  /** Its ways of messages out of the broker, as they are now; empty where it has none, or is not started. */
  readonly outlets: readonly OutletView[]
}

/**
 * Checks a plugin and its options, and makes its state and its hooks. Nothing is opened: whoever does not start it may drop it.
 * @param plugin what a module exports: it need not be one.
 * @throws BrokerError `invalid-option`: PluginOptionsError where the options are to blame; `plugin-failed`, when it throws.
 */
export async function preparePlugin(
  plugin: unknown,
  options?: unknown,
  settings: PrepareOptions = {},
): Promise<PreparedPlugin> {
  checkPlugin(plugin)
  if (settings.name !== undefined) checkPluginName(settings.name)
  const given = await optionsFor(plugin, options)
  return new Run(plugin, given, settings)
}

const noWatch: CallWatch = { register: () => 0, enter() {}, leave() {} }

class Run implements PreparedPlugin {
  readonly name: string
  readonly hooks: readonly Hooks[]
  readonly authenticator: Authenticator | undefined
  readonly #plugin: Plugin
  readonly #context: PluginContext<never, never>
  readonly #ending = new AbortController()
  readonly #watch: CallWatch
  readonly #startMs: number
  readonly #stopMs: number
  readonly #hookMs: number
  #stopped: Promise<void> | undefined

  constructor(plugin: Plugin, options: unknown, settings: PrepareOptions) {
    const { log = silentLogger, watch = noWatch, startMs = 30_000, clock = systemClock } = settings
    const { stopMs = 10_000, hookMs = 30_000 } = settings
    this.#plugin = plugin
    const { name = plugin.name } = settings
    this.name = name
    this.#watch = watch
    this.#startMs = startMs
    this.#stopMs = stopMs
    this.#hookMs = hookMs
    const common = { name, options, log: namedLog(name, log), signal: this.#ending.signal, clock }
    const state = this.#made('state', () => plugin.state?.(common as PluginContext<never, never>))
    const context = { ...common, state } as PluginContext<never, never>
    this.#context = withWatching(context, (call, of) => this.#entering(call, of, this.#plugin) as unknown as typeof of)
    const { hooks } = plugin
    const own = typeof hooks === 'function' ? this.#made('hooks', () => hooks(this.#context)) : hooks
    if (own !== undefined) checkHook(own, `plugin ${this.name}: hooks`)
    this.hooks = own === undefined ? [] : [this.#watched(own)]
    const link = this.#made('authenticator', () => plugin.authenticator?.(this.#context))
    if (link !== undefined && typeof link?.check !== 'function') {
      throw new BrokerError('invalid-option', `plugin ${this.name}: authenticator takes an object with check`)
    }
    this.authenticator = link && this.#watchedLink(link)
  }

  get authenticates(): boolean {
    const hook = this.hooks.some(({ authenticate, authenticationMethods }) => authenticate ?? authenticationMethods)
    return hook || this.authenticator !== undefined
  }

  async start(broker: Broker): Promise<void> {
    const { start } = this.#plugin
    if (!start) return
    try {
      const started = this.#call('start', () => start.call(this.#plugin, broker, this.#context))
      await this.#within(this.#startMs, started, 'it is not done')
    } catch (error) {
      await this.stop()
      throw this.#failed('did not start', error)
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#ending.abort()
    const { stop } = this.#plugin
    if (!stop) return
    try {
      const stopped = this.#call('stop', () => stop.call(this.#plugin, this.#context))
      await this.#within(this.#stopMs, stopped, 'it is left to itself')
    } catch (error) {
      this.#context.log.log('error', 'did not stop in order', { error: inWords(error) })
    }
  }

  get outlets(): readonly OutletView[] {
    return outletsOf(this.#context)
  }

  counts(): Readonly<Record<string, number>> {
    try {
      const counted = Object.entries(this.#plugin.counts?.(this.#context) ?? {})
      return Object.fromEntries(
        counted.filter(([name, value]) => /^[a-z][a-z_]{0,40}$/.test(name) && Number.isFinite(value)),
      )
    } catch {
      return {}
    }
  }

  /** The same functions, and whoever watches is told when one is entered. */
  #watched(hooks: Hooks): Hooks {
    const made: Record<string, unknown> = { name: `of plugin ${this.name}` }
    if (hooks.authenticationMethods) made.authenticationMethods = hooks.authenticationMethods
    for (const name of hookFunctions) {
      const hook = hooks[name] as ((...args: readonly unknown[]) => unknown) | undefined
      if (hook) made[name] = this.#answering(name, hook, hooks)
    }
    return made as Hooks
  }

  #watchedLink(link: Authenticator): Authenticator {
    return {
      name: `plugin ${this.name}`,
      check: this.#answering('authenticator', link.check, link) as Authenticator['check'],
    }
  }

  /** A promise that never settles would hold up the client for ever. */
  #answering(name: string, call: (...args: never[]) => unknown, owner: object): (...args: unknown[]) => unknown {
    const entering = this.#entering(name, call, owner)
    return (...args) => {
      const answer = entering(...args)
      if (typeof (answer as { then?: unknown } | undefined)?.then !== 'function') return answer
      return this.#within(this.#hookMs, answer, 'there is no answer')
    }
  }

  #entering(name: string, call: (...args: never[]) => unknown, owner: object): (...args: unknown[]) => unknown {
    const watch = this.#watch
    const number = watch.register(this.name, name)
    return (...args) => {
      watch.enter(number)
      try {
        return (call as (...args: unknown[]) => unknown).apply(owner, args)
      } finally {
        watch.leave()
      }
    }
  }

  #call(name: string, call: () => unknown): unknown {
    return this.#entering(name, call, this.#plugin)()
  }

  #made<T>(part: string, make: () => T): T {
    try {
      return make()
    } catch (error) {
      throw this.#failed(`failed in ${part}`, error)
    }
  }

  #failed(what: string, error: unknown): BrokerError {
    return new BrokerError('plugin-failed', `plugin ${this.name} ${what}: ${inWords(error)}`, { cause: error })
  }

  async #within(ms: number, work: unknown, otherwise: string): Promise<unknown> {
    let cancel = (): void => {}
    const late = new Promise<never>((_, reject) => {
      cancel = this.#context.clock.timeout(ms, () => reject(new Error(`after ${ms} ms ${otherwise}`)))
    })
    try {
      return await Promise.race([work, late])
    } finally {
      cancel()
    }
  }
}

function namedLog(name: string, log: Logger): Logger {
  return unfailing({ log: (level, message, fields) => log.log(level, `plugin ${name}: ${message}`, fields) })
}
