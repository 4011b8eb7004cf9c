import { type AdminApi, adminApi } from '@godwit/admin'
import {
  type AccessExplainer,
  type Backups,
  type Cluster,
  type RecentLog,
  type Rules,
  TokenFile,
  type Users,
} from '@godwit/admin/parts'
import type { Broker, Logger } from '@godwit/broker'
import { consolePage } from '@godwit/console'
import type { Resolved } from '../config/resolve.js'
import type { ReloadAnswer } from '../control/control-protocol.js'
import type { Bridged } from '../monitoring/bridges-text.js'
import type { EventLoopDelay } from '../monitoring/event-loop-delay.js'
import type { MonitoringAddress } from '../monitoring/monitoring-address.js'
import type { MonitoringPages } from '../monitoring/monitoring-pages.js'
import type { Plugged } from '../monitoring/plugin-text.js'
import { systemProblem } from '../system-problem.js'
import { HttpServer, type HttpServerParts } from './http-server.js'
import { httpTls, tokensFileOf } from './http-settings.js'
import { MqttUpgrade } from './mqtt-upgrade.js'
import { settingsPart } from './settings-part.js'

export interface ServedBroker {
  readonly broker: Broker
  /** What it is served by. */
  readonly settings: Resolved
  /** What holds now. */
  readonly inForce: () => Resolved
  /** Its listeners in words, as `127.0.0.1:1883`. */
  readonly listeners: () => readonly string[]
  readonly users: Users
  readonly rules: Rules
  readonly access: AccessExplainer
  readonly backups: Backups
  readonly recent: RecentLog
  readonly bridges: Bridged
  readonly plugins: Plugged
  /** The node of a cluster that it is. */
  readonly cluster: Cluster | undefined
  readonly reload: () => Promise<ReloadAnswer>
  readonly delay: EventLoopDelay
  /** Counters and health, where they are served at the same address. */
  readonly monitoring: MonitoringPages | undefined
  readonly log: Logger
}

/** The HTTP API of a running broker, served. */
export class BrokerHttp {
  readonly #server: HttpServer
  #served: Served

  /**
   * Serves it where the configuration says.
   * @throws Unavailable for an address that is taken; CommandError, BrokerError for certificates that cannot be used.
   */
  static async open(of: ServedBroker, address: MonitoringAddress): Promise<BrokerHttp> {
    const served = servedOf(of, address)
    try {
      const tls = await httpTls(of.settings.config)
      const server = await HttpServer.open(address, tls, served.parts).catch((error: unknown) => {
        throw new Unavailable(`${address.host}:${address.port}: ${systemProblem(error)}`)
      })
      return new BrokerHttp(server, served)
    } catch (error) {
      served.api.close()
      throw error
    }
  }

  private constructor(server: HttpServer, served: Served) {
    this.#server = server
    this.#served = served
  }

  /** Where browsers find it. */
  get url(): string {
    const { publicUrl } = this.#served
    return publicUrl?.replace(/\/+$/, '') ?? this.#server.url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//localhost:')
  }

  /** A link that logs a browser in as an admin, once, within five minutes. It is for one person, and for no log. */
  loginLink(): string {
    return `${this.url}/#login=${this.#served.api.loginCode('admin')}`
  }

  /**
   * Reads certificates again, and makes ready what other settings ask for at the same address; who is logged in has to log in
   * again then.
   * @throws CommandError, BrokerError for certificates that cannot be used.
   */
  async prepare(of: ServedBroker, address: MonitoringAddress, isSame: boolean): Promise<PreparedHttp> {
    const tls = await httpTls(of.settings.config)
    const old = this.#served
    const next = isSame ? old : servedOf(of, address)
    return {
      commit: () => {
        if (tls) this.#server.renew(tls)
        if (next === old) return
        this.#served = next
        this.#server.use(next.parts)
        old.api.close()
      },
      abandon: () => {
        if (next !== old) next.api.close()
      },
    }
  }

  async close(): Promise<void> {
    this.#served.api.close()
    await this.#server.close()
  }
}

/** One of both is called, once. */
interface PreparedHttp {
  commit(): void
  abandon(): void
}

interface Served {
  readonly api: AdminApi
  readonly parts: HttpServerParts
  readonly publicUrl: string | undefined
}

function servedOf(served: ServedBroker, address: MonitoringAddress): Served {
  const { broker, settings, log, monitoring, delay } = served
  const { config } = settings
  const { publicUrl } = config.http
  const file = tokensFileOf(config)
  const { users, rules, access, backups, recent, cluster, bridges, plugins } = served
  const api = adminApi(broker, {
    tokens: file === undefined ? noTokens : new TokenFile(file, log),
    publicUrl,
    hosts: [address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`],
    logger: log,
    listeners: served.listeners,
    eventLoopDelay: delay.histogram,
    users,
    rules,
    access,
    backups,
    log: recent,
    cluster,
    bridges,
    plugins,
    configuration: settingsPart(served.inForce, served.reload),
  })
  return { api, parts: { api, monitoring, page: consolePage(), mqtt: new MqttUpgrade(broker, api), log }, publicUrl }
}

/** The system lets nobody listen there; says where, and why. */
export class Unavailable extends Error {}

const noTokens = { find: () => undefined, isGood: () => false }
