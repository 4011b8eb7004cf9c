import type { RecentLog } from '@godwit/admin/parts'
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  createBroker,
  type Features,
  type InheritedSocket,
  type Limits,
} from '@godwit/broker'
import type { StoreOnDisk } from '@godwit/broker/store/lmdb'
import { BackupFolder } from './backup-folder.js'
import { banner } from './banner.js'
import { Bridges } from './bridges/bridges.js'
import { type Access, accessOf, whoMayCome } from './broker-access.js'
import type { NodeEdge } from './cluster/node-edge.js'
import { CommandError, exitDamaged } from './command-error.js'
import type { Resolved } from './config/resolve.js'
import { type BrokerControl, brokerControl } from './control/broker-control.js'
import type { ReloadAnswer } from './control/control-protocol.js'
import type { Serve } from './control/control-socket.js'
import type { Reloadable } from './control/reloading.js'
import { watchPart } from './control/settings-part.js'
import { editorsOf } from './editing/editors.js'
import { HookSets } from './hook-sets.js'
import type { ServingBroker } from './http/broker-http.js'
import { WebServers } from './http/web-servers.js'
import type { BrokerLog } from './log.js'
import { bridgesText } from './monitoring/bridges-text.js'
import { shownOf } from './monitoring/monitoring-pages.js'
import { pluginText } from './monitoring/plugin-text.js'
import { OpenListeners } from './open-listeners.js'
import { LoopWatch, lineTargets } from './plugins/loop-watch.js'
import { loadPlugins, type Plugins } from './plugins/plugins.js'
import { withSystemdSockets } from './systemd-sockets.js'
import type { Terminal } from './terminal.js'
import { version } from './version.js'

/** What a broker has from the process that it runs in. */
export interface Around {
  readonly terminal: Terminal
  readonly log: BrokerLog
  readonly recent: RecentLog
  /** Those that systemd has given to this process. */
  readonly sockets: readonly InheritedSocket[]
  /** What file, environment and flags say now; throws where they are wrong. */
  readonly read: () => Resolved
}

/** Where its data is, and what it leaves to a node of a cluster. */
export interface Standing {
  /** The data folder; undefined: there is none. */
  readonly folder: string | undefined
  /** What backups are made of; undefined: nothing is on disk. */
  readonly onDisk: StoreOnDisk | undefined
  /** What its node of a cluster has; left out: it is alone. */
  readonly node?: StandingNode
  /** What else of its node follows the configuration. Default: nothing. */
  readonly reloadable?: readonly Reloadable[]
}

/** What a node of a cluster has open, whoever serves. */
export interface StandingNode {
  /** Is given what the broker answers to over the node's control socket. */
  readonly onRequests: (serve: Serve) => void
  readonly web: WebServers
  /** Its listeners. `undefined`: the broker opens them. */
  readonly edge: NodeEdge | undefined
}

/**
 * A broker with all that the configuration puts around it: who may come in, plugins, listeners, HTTP, control socket, bridges. It is
 * prepared, created, opened and closed, once each and in this order; the broker itself is closed by whoever has it.
 */
export class BrokerLife {
  readonly #around: Around
  readonly #settings: Resolved
  readonly #hooks = new HookSets('access', 'plugins')
  readonly #watch: LoopWatch
  #plugins!: Plugins
  #access!: Access
  #broker: Broker | undefined
  #bridges: Bridges | undefined
  #web: WebServers | undefined
  #leaveWeb: () => unknown = () => {}
  #control: BrokerControl | undefined
  #closing: Promise<void> | undefined

  /**
   * Loads what decides who may come in.
   * @throws CommandError with the place of what is wrong.
   */
  static async prepare(settings: Resolved, around: Around): Promise<BrokerLife> {
    const life = new BrokerLife(settings, around)
    try {
      await inOneLine(() => life.#prepare())
      return life
    } catch (error) {
      await life.#watch.close()
      throw error
    }
  }

  private constructor(settings: Resolved, around: Around) {
    this.#settings = settings
    this.#around = around
    this.#watch = new LoopWatch(lineTargets(settings.config.log, around.terminal), around.log)
  }

  async #prepare(): Promise<void> {
    const { log, sockets } = this.#around
    const settings = this.#settings
    this.#plugins = await loadPlugins(settings, {
      log,
      watch: this.#watch,
      use: (hooks) => this.#hooks.replace('plugins', hooks),
    })
    whoMayCome(withSystemdSockets(settings.config, sockets), this.#plugins)
    this.#access = await accessOf(settings, {
      log,
      disconnect: (clientId) => {
        const reasonString = 'what let this client in has expired'
        void this.#broker?.disconnect(clientId, { reasonCode: 0x87, reasonString })
      },
      use: (hooks) => this.#hooks.replace('access', hooks),
      plugins: this.#plugins,
    })
  }

  /** Whether clients are asked who they are. */
  get asks(): boolean {
    return this.#hooks.all.some(({ authenticate, authenticationMethods }) => authenticate ?? authenticationMethods)
  }

  /** @throws CommandError naming the setting that is wrong. */
  async create(given: BrokerOptions): Promise<Broker> {
    const { config, origin } = this.#settings
    const { limits, features, sysIntervalSeconds } = config
    const said = { ...(features as Partial<Features>), limits: limits as Partial<Limits>, sysIntervalSeconds }
    try {
      this.#broker = await createBroker({ ...said, hooks: this.#hooks.all, log: this.#around.log, ...given })
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      const [, limit] = /^limits\.(\w+)/.exec(error.message) ?? []
      const exitCode = error.code === 'store-damaged' ? exitDamaged : 1
      throw new CommandError(limit ? `${origin(['limits', limit])}: ${error.message}` : error.message, exitCode)
    }
    this.#hooks.serve(this.#broker)
    return this.#broker
  }

  /**
   * Lets clients in, and tells the person at the terminal.
   * @throws CommandError
   */
  async open({ folder, onDisk, node, reloadable = [] }: Standing): Promise<void> {
    const { terminal, log, sockets, read } = this.#around
    const settings = this.#settings
    const broker = this.#broker!
    const [access, plugins] = [this.#access, this.#plugins]
    await plugins.start(broker, settings)
    const listeners = node?.edge?.listeners ?? (await OpenListeners.open(broker, settings, sockets))
    listeners.serveBy(broker)
    const editors = editorsOf(settings, access)
    const backups = new BackupFolder(settings.config.backup.directory, onDisk)
    const bridges = new Bridges(broker, log)
    this.#bridges = bridges
    const serving = {
      broker,
      ...editors,
      backups,
      bridges,
      plugins,
      access: access.explainer,
      listeners: () => listeners.words,
    }
    const web = await this.#openWeb(serving, node?.web)
    this.#control = await brokerControl({
      ...{ broker, settings, access, plugins, listeners, sockets, read, editors, backups, bridges, log },
      loginLink: () => web.http?.loginLink(),
      reloadable: [web, bridges, watchPart(this.#watch, terminal, settings), ...reloadable],
      ...(node && { onRequests: node.onRequests }),
    })
    await node?.edge?.serve(broker)
    this.#tell(listeners, folder, node !== undefined)
    await inOneLine(() => bridges.start(settings))
  }

  /** @param standing those of its node. */
  async #openWeb(serving: ServingBroker, standing: WebServers | undefined): Promise<WebServers> {
    const { log, recent } = this.#around
    const { broker, bridges, plugins } = serving
    const more = [() => bridgesText(bridges), () => pluginText(plugins)]
    const web =
      standing ??
      (await WebServers.open(
        {
          ...{ settings: this.#settings, recent, log },
          shown: (delay) => shownOf(broker, delay, more),
          reload: () => this.reload(),
          inForce: () => this.inForce,
        },
        serving,
      ))
    standing?.serve(serving)
    this.#web = web
    this.#leaveWeb = () => (standing ? standing.serve(undefined) : web.close())
    return web
  }

  #tell(listeners: OpenListeners, folder: string | undefined, ofCluster: boolean): void {
    const { terminal, log, sockets } = this.#around
    const { config } = this.#settings
    const who = whoMayCome(withSystemdSockets(config, sockets), this.#plugins)
    const { recovered } = this.#broker!
    const facts = { listeners: listeners.words, who, folder, recovered, ofCluster, ...this.#web?.told(terminal) }
    terminal.stdout.write(banner(facts))
    if (log.format === 'json' || config.log.file !== undefined) {
      log.log('info', 'started', { version, listeners: listeners.words.join(', '), data: config.data })
    }
  }

  /** What holds now of the configuration. */
  get inForce(): Resolved {
    return this.#control?.inForce() ?? this.#settings
  }

  /** Takes up what has changed; what it throws has been told in the log. */
  async reload(): Promise<ReloadAnswer> {
    if (!this.#control) throw new CommandError('the broker is not open yet')
    return await this.#control.reload()
  }

  /** All but the broker, which is still there when plugins and bridges end. Asked for again, it has nothing to do. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#control?.close()
    await this.#leaveWeb()
    await this.#bridges?.close()
    await this.#plugins.stop()
    this.#access.close()
    await this.#watch.close()
  }
}

async function inOneLine<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}
