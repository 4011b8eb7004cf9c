import { isDeepStrictEqual } from 'node:util'
import type { WebFacts } from '../banner.js'
import { isTerminal } from '../colors.js'
import { CommandError } from '../command-error.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import { changedSettings } from '../control/changed-settings.js'
import type { Prepared, Reloadable } from '../control/reloading.js'
import { EventLoopDelay } from '../monitoring/event-loop-delay.js'
import { type MonitoringAddress, monitoringAddress } from '../monitoring/monitoring-address.js'
import { MonitoringPages, type Shown } from '../monitoring/monitoring-pages.js'
import { MonitoringServer } from '../monitoring/monitoring-server.js'
import type { Terminal } from '../terminal.js'
import type { BrokerHttp, ServedProcess, ServingBroker } from './broker-http.js'
import { httpAddress } from './http-settings.js'

/** What of a process is served over HTTP. */
type Served = Omit<ServedProcess, 'delay' | 'monitoring' | 'serving'> & {
  /** Counters and health. @param delay of the event loop, which is looked at here. */
  readonly shown: (delay: EventLoopDelay) => Shown
}

/** What is open, and what for. */
interface Open {
  readonly settings: Settings
  /** The API and the console. */
  readonly http: BrokerHttp | undefined
  readonly monitoring: MonitoringServer | undefined
}

interface Settings {
  readonly http: Config['http']
  readonly metrics: Config['metrics']
}

/** The HTTP API and the console, counters and health: one server where the two addresses are the same. */
export class WebServers implements Reloadable {
  readonly #served: Served
  readonly #delay = new EventLoopDelay()
  readonly #pages: MonitoringPages
  #serving: ServingBroker | undefined
  #open: Open

  /**
   * Opens them. An address of the API that is taken costs a line in the log, not the broker.
   * @param serving left out: nobody serves here yet, as at a node of a cluster.
   * @throws CommandError for an address of the metrics that is taken; CommandError, BrokerError for certificates that cannot be used.
   */
  static async open(served: Served, serving?: ServingBroker): Promise<WebServers> {
    const servers = new WebServers(served, serving)
    try {
      await servers.#start()
      return servers
    } catch (error) {
      await servers.close()
      throw error
    }
  }

  private constructor(served: Served, serving: ServingBroker | undefined) {
    this.#served = served
    this.#serving = serving
    this.#pages = new MonitoringPages(served.shown(this.#delay), served.log)
    this.#open = { settings: settingsOf(served.settings), http: undefined, monitoring: undefined }
  }

  /** From here on the API is this broker's; `undefined`: it is that of a node that follows. */
  serve(serving: ServingBroker | undefined): void {
    this.#serving = serving
    this.http?.serve(serving)
  }

  /** Whose the API is now. */
  get serving(): ServingBroker | undefined {
    return this.#serving
  }

  /** The API and the console; undefined: they are not served. */
  get http(): BrokerHttp | undefined {
    return this.#open.http
  }

  /** For whoever starts it: a login is for a person who reads it now, since what is no terminal may be kept. */
  told(terminal: Terminal): WebFacts {
    const { http, metrics } = this
    const isLogin = isTerminal(terminal.stdout)
    return { metrics, console: http && { url: isLogin ? http.loginLink() : http.url, isLogin } }
  }

  /** The URL of counters and health; undefined: they are not served. */
  get metrics(): string | undefined {
    const { settings, http, monitoring } = this.#open
    return addressesOf(settings).shares ? http?.url : monitoring?.url
  }

  async #start(): Promise<void> {
    const { settings, log } = this.#served
    const { http: address, metrics: where, shares } = addressesOf(settingsOf(settings))
    if (where && !shares) this.#open = { ...this.#open, monitoring: await this.#openMonitoring(where) }
    if (address) {
      const { Unavailable } = await loadHttp()
      try {
        this.#open = { ...this.#open, http: await this.#openHttp(settings, address, shares) }
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        const why = `cannot listen on ${error.message}; ${anotherAddress}`
        log.log('warn', `there is no HTTP API and no console: ${why}`)
      }
    }
    // What is asked for is not passed over: that the address is taken ends the start.
    if (where && shares && !this.#open.http) {
      this.#open = { ...this.#open, monitoring: await this.#openMonitoring(where) }
    }
  }

  async prepare(next: Resolved): Promise<Prepared | undefined> {
    const old = this.#open
    const wanted = settingsOf(next)
    const [before, after] = [addressesOf(old.settings), addressesOf(wanted)]
    const switched = isDeepStrictEqual(before.http, after.http) && !old.settings.http.tls !== !wanted.http.tls
    if (switched && after.http) {
      // Another kind of server would be needed at an address that is taken by this one.
      const needsRestart = changedSettings(old.settings, wanted)
      return { reloaded: [], needsRestart, commit: () => {}, abandon: () => {} }
    }
    const undo: (() => unknown)[] = []
    const abandon = async (): Promise<void> => {
      for (const step of undo.reverse()) await step()
    }
    try {
      const monitoring = await this.#monitoringFor(before, after, undo)
      const { http, renew } = await this.#httpFor(next, before, after, undo)
      return {
        reloaded: [
          ...(renew && wanted.http.tls ? ['certificates of the HTTP server'] : []),
          ...changedSettings(old.settings, wanted),
        ],
        commit: async () => {
          renew?.()
          this.#open = { settings: wanted, http, monitoring }
          http?.serve(this.#serving) // another may serve by now
          if (old.monitoring !== monitoring) await old.monitoring?.close()
          if (old.http !== http) await old.http?.close()
        },
        abandon,
      }
    } catch (error) {
      await abandon()
      throw error
    }
  }

  async close(): Promise<void> {
    this.#delay.stop()
    await this.#open.http?.close()
    await this.#open.monitoring?.close()
  }

  async #monitoringFor(before: Addresses, { metrics, shares }: Addresses, undo: (() => unknown)[]) {
    if (!metrics || shares) return undefined
    const { monitoring } = this.#open
    if (monitoring && isDeepStrictEqual(before.metrics, metrics)) return monitoring
    const opened = await this.#openMonitoring(metrics)
    undo.push(() => opened.close())
    return opened
  }

  async #httpFor(next: Resolved, before: Addresses, { http: address, shares }: Addresses, undo: (() => unknown)[]) {
    if (!address) return {}
    const { http, settings } = this.#open
    if (http && isDeepStrictEqual(before.http, address)) {
      const isSame = isDeepStrictEqual(settings.http, next.config.http) && before.shares === shares
      const parts = this.#partsFor(next, shares)
      return { http, renew: await inPlace(next, ['http', 'tls'], () => http.prepare(parts, isSame)) }
    }
    const { Unavailable } = await loadHttp()
    try {
      const opened = await this.#openHttp(next, address, shares)
      undo.push(() => opened.close())
      return { http: opened }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      if (isDeepStrictEqual(settings.http, next.config.http)) return {} // as at the start, and told then
      throw new CommandError(`cannot serve HTTP on ${error.message}; ${anotherAddress}`)
    }
  }

  async #openHttp(settings: Resolved, address: MonitoringAddress, shares: boolean): Promise<BrokerHttp> {
    const { BrokerHttp } = await loadHttp()
    return inPlace(settings, ['http', 'tls'], () => BrokerHttp.open(this.#partsFor(settings, shares), address))
  }

  #openMonitoring(where: MonitoringAddress): Promise<MonitoringServer> {
    return MonitoringServer.open(this.#pages, where, this.#served.log)
  }

  #partsFor(settings: Resolved, shares: boolean): ServedProcess {
    const monitoring = shares ? this.#pages : undefined
    return { ...this.#served, settings, delay: this.#delay, monitoring, serving: this.#serving }
  }
}

const anotherAddress = 'choose another with --http [HOST:]PORT, or --http none'

/** The API and all it needs, which a broker that does not serve it does without: some 10 MiB. */
export function loadHttp(): Promise<typeof import('./broker-http.js')> {
  return import('./broker-http.js')
}

interface Addresses {
  readonly http: MonitoringAddress | undefined
  readonly metrics: MonitoringAddress | undefined
  /** One server for both. */
  readonly shares: boolean
}

function settingsOf({ config: { http, metrics } }: Resolved): Settings {
  return { http, metrics }
}

function addressesOf({ http: settings, metrics: given }: Settings): Addresses {
  const http = httpAddress({ http: settings })
  const metrics = given === undefined ? undefined : monitoringAddress(String(given))
  return { http, metrics, shares: metrics !== undefined && metrics.port !== 0 && isDeepStrictEqual(metrics, http) }
}
