import { type AdminApi, adminApi, Logins } from '@godwit/admin'
import {
  type AccessExplainer,
  type Backups,
  type Cluster,
  type RecentLog,
  type Rules,
  TokenFile,
  type Tokens,
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
import { MqttUpgrade, noMqtt } from './mqtt-upgrade.js'
import { settingsPart } from './settings-part.js'

/** A broker that serves clients, and what is shown and edited with it. */
export interface ServingBroker {
  readonly broker: Broker
  /** Its listeners in words, as `127.0.0.1:1883`. */
  readonly listeners: () => readonly string[]
  readonly users: Users
  readonly rules: Rules
  readonly access: AccessExplainer
  readonly backups: Backups
  readonly bridges: Bridged
  readonly plugins: Plugged
}

/** What is served over HTTP, whoever serves clients. */
export interface ServedProcess {
  /** What it is served by. */
  readonly settings: Resolved
  /** What holds now. */
  readonly inForce: () => Resolved
  readonly recent: RecentLog
  /** The node of a cluster that it is. */
  readonly cluster?: Cluster | undefined
  readonly reload: () => Promise<ReloadAnswer>
  readonly delay: EventLoopDelay
  /** Counters and health, where they are served at the same address. */
  readonly monitoring: MonitoringPages | undefined
  readonly log: Logger
  /** `undefined`: another node of the cluster serves. */
  readonly serving: ServingBroker | undefined
}

/** The HTTP API of a running broker, or of a node that follows, served. */
export class BrokerHttp {
  readonly #server: HttpServer
  readonly #address: MonitoringAddress
  #of: ServedProcess
  #served: Served

  /**
   * Serves it where the configuration says.
   * @throws Unavailable for an address that is taken; CommandError, BrokerError for certificates that cannot be used.
   */
  static async open(of: ServedProcess, address: MonitoringAddress): Promise<BrokerHttp> {
    const served = servedOf(of, address, keysOf(of))
    try {
      const tls = await httpTls(of.settings.config)
      const server = await HttpServer.open(address, tls, served.parts).catch((error: unknown) => {
        throw new Unavailable(`${address.host}:${address.port}: ${systemProblem(error)}`)
      })
      return new BrokerHttp(server, address, of, served)
    } catch (error) {
      served.api.close()
      throw error
    }
  }

  private constructor(server: HttpServer, address: MonitoringAddress, of: ServedProcess, served: Served) {
    this.#server = server
    this.#address = address
    this.#of = of
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

  /** From here on this broker serves; `undefined`: another node does. Whoever is logged in stays so. */
  serve(serving: ServingBroker | undefined): void {
    if (serving === this.#of.serving) return
    this.#of = { ...this.#of, serving }
    this.#use(servedOf(this.#of, this.#address, this.#served.keys))
  }

  /**
   * Reads certificates again, and makes ready what other settings ask for at the same address; who is logged in has to log in
   * again then.
   * @returns what has them in force.
   * @throws CommandError, BrokerError for certificates that cannot be used.
   */
  async prepare(of: ServedProcess, isSame: boolean): Promise<() => void> {
    const tls = await httpTls(of.settings.config)
    return () => {
      if (tls) this.#server.renew(tls)
      if (isSame) return
      this.#of = { ...of, serving: this.#of.serving } // another may serve by now
      this.#use(servedOf(this.#of, this.#address, keysOf(of)))
    }
  }

  #use(next: Served): void {
    const old = this.#served
    this.#served = next
    this.#server.use(next.parts)
    old.api.close()
  }

  async close(): Promise<void> {
    this.#served.api.close()
    await this.#server.close()
  }
}

interface Served {
  readonly api: AdminApi
  readonly parts: HttpServerParts
  readonly keys: Keys
  readonly publicUrl: string | undefined
}

/** Who may come in, and who has. */
interface Keys {
  readonly tokens: Tokens
  readonly logins: Logins
}

function keysOf({ settings, log }: ServedProcess): Keys {
  const file = tokensFileOf(settings.config)
  const tokens = file === undefined ? noTokens : new TokenFile(file, log)
  return { tokens, logins: new Logins(tokens) }
}

function servedOf(served: ServedProcess, address: MonitoringAddress, keys: Keys): Served {
  const { settings, log, monitoring, delay, recent, cluster, serving } = served
  const { publicUrl } = settings.config.http
  const { broker, listeners, users, rules, access, backups, bridges, plugins } = serving ?? {}
  const api = adminApi(broker, {
    ...keys,
    publicUrl,
    hosts: [address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`],
    logger: log,
    listeners: listeners,
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
  const mqtt = broker ? new MqttUpgrade(broker, api) : noMqtt
  return { api, parts: { api, monitoring, page: consolePage(), mqtt, log }, keys, publicUrl }
}

/** The system lets nobody listen there; says where, and why. */
export class Unavailable extends Error {}

const noTokens = { find: () => undefined, isGood: () => false }
