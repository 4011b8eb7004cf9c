import { isDeepStrictEqual } from 'node:util'
import type { PluginState } from '@godwit/admin/parts'
import type { Broker, Hooks, Logger } from '@godwit/broker'
import type { Authenticator } from '@godwit/broker/access'
import type { CallWatch, PreparedPlugin } from '@godwit/broker/plugin'
import type { PluginAccess } from '../broker-access.js'
import { CommandError } from '../command-error.js'
import type { Resolved } from '../config/resolve.js'
import type { Prepared, Reloadable } from '../control/reloading.js'
import { notForConsole } from '../hooks-by-listener.js'
import { type LoadedPlugin, loadPlugin, sourceOf } from './load-plugin.js'

interface PluginsOptions {
  readonly log: Logger
  /** Is told when a function of one is entered. */
  readonly watch?: CallWatch
  /** Is given the hooks that are in force from now on. Default: nobody is. */
  readonly use?: (hooks: readonly Hooks[]) => void
}

/**
 * The plugins that a configuration names, in its order.
 * @throws CommandError with the place of what is wrong.
 */
export async function loadPlugins(settings: Resolved, options: PluginsOptions): Promise<Plugins> {
  const loaded: LoadedPlugin[] = []
  for (const at of settings.config.plugins.keys()) {
    loaded.push(await loadPlugin(settings, at, await sourceOf(settings, at), options.log, options.watch))
  }
  checkNames(loaded, settings)
  return new Plugins(loaded, options)
}

/** Plugins at work. */
export class Plugins implements Reloadable, PluginAccess {
  readonly #options: PluginsOptions
  #loaded: readonly LoadedPlugin[]
  /** Those that a reload has prepared. */
  #next: readonly LoadedPlugin[] | undefined
  #broker: Broker | undefined

  /** Use {@link loadPlugins}. */
  constructor(loaded: readonly LoadedPlugin[], options: PluginsOptions) {
    this.#loaded = loaded
    this.#options = options
    this.#use()
  }

  get #hooks(): readonly Hooks[] {
    return this.#plugins.flatMap(({ hooks }) => hooks.map(notForConsole))
  }

  /** Asks those of all plugins in their order, whichever they are when it is asked. */
  readonly #users: Authenticator = {
    name: 'plugins',
    check: (request) => askInTurn(this.#links, request),
  }

  get users(): Authenticator | undefined {
    return this.#coming.some(({ plugin }) => plugin.authenticator) ? this.#users : undefined
  }

  get authenticates(): boolean {
    return this.#coming.some(({ plugin }) => plugin.authenticates)
  }

  /** As they are now, in their order. */
  get views(): readonly PluginState[] {
    return this.#loaded.map(({ plugin, from, since }) => ({
      name: plugin.name,
      module: from.module,
      since,
      authenticates: plugin.authenticates,
      counts: plugin.counts(),
      outlets: plugin.outlets,
    }))
  }

  /**
   * Starts them, one after another; where one cannot, those before it are stopped again.
   * @throws CommandError
   */
  async start(broker: Broker, settings: Resolved): Promise<void> {
    this.#broker = broker
    for (const [at, { plugin }] of this.#loaded.entries()) await started(plugin, broker, settings, at)
    for (const { name } of this.#plugins) this.#options.log.log('info', 'plugin started', { plugin: name })
  }

  /** Stops them, the last first. What fails is told. */
  async stop(): Promise<void> {
    for (const plugin of this.#plugins.toReversed()) await plugin.stop()
  }

  /** One that is made from the same goes on; another is started beside the one that it follows, which serves until then. */
  async prepare(next: Resolved): Promise<Prepared | undefined> {
    const fresh: LoadedPlugin[] = []
    const loaded: LoadedPlugin[] = []
    const abandon = async (): Promise<void> => {
      this.#next = undefined
      for (const { plugin } of fresh.reverse()) await plugin.stop()
    }
    try {
      for (const at of next.config.plugins.keys()) {
        const from = await sourceOf(next, at)
        const same = this.#loaded.find((one) => isDeepStrictEqual(one.from, from) && !loaded.includes(one))
        const one = same ?? (await loadPlugin(next, at, from, this.#options.log, this.#options.watch))
        loaded.push(one)
        if (!same) fresh.push(one)
      }
      checkNames(loaded, next)
      for (const [at, one] of loaded.entries()) {
        if (fresh.includes(one)) await started(one.plugin, this.#broker!, next, at)
      }
    } catch (error) {
      await abandon()
      throw error
    }
    const before = this.#loaded
    if (isDeepStrictEqual(before, loaded)) return undefined
    const gone = before.filter((one) => !loaded.includes(one))
    this.#next = loaded
    return {
      reloaded: ['plugins'],
      commit: async () => {
        this.#next = undefined
        this.#loaded = loaded
        this.#use()
        for (const { plugin } of gone) await plugin.stop()
      },
      abandon,
    }
  }

  #use(): void {
    this.#options.use?.(this.#hooks)
  }

  get #coming(): readonly LoadedPlugin[] {
    return this.#next ?? this.#loaded
  }

  get #plugins(): readonly PreparedPlugin[] {
    return this.#loaded.map(({ plugin }) => plugin)
  }

  get #links(): readonly Authenticator[] {
    return this.#plugins.flatMap(({ authenticator }) => authenticator ?? [])
  }
}

async function askInTurn(links: readonly Authenticator[], request: Parameters<Authenticator['check']>[0]) {
  for (const link of links) {
    const verdict = await link.check(request)
    if (verdict !== 'not mine') return verdict
  }
  return 'not mine'
}

async function started(plugin: PreparedPlugin, broker: Broker, { origin }: Resolved, at: number): Promise<void> {
  try {
    await plugin.start(broker)
  } catch (error) {
    throw new CommandError(`${origin(['plugins', at])}: ${(error as Error).message}`, 1, { cause: error })
  }
}

/** Sessions, metrics and log lines are told apart by it. @throws CommandError */
function checkNames(loaded: readonly LoadedPlugin[], { origin }: Resolved): void {
  const names = loaded.map(({ plugin }) => plugin.name)
  const at = names.findIndex((name, index) => names.indexOf(name) < index)
  if (at < 0) return
  const place = origin(['plugins', at])
  throw new CommandError(
    `${place}: two plugins are called ${names[at]}; give this one another name, as name: ${names[at]}-2`,
  )
}
