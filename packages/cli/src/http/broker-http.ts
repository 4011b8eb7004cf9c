import { adminApi } from '@godwit/admin'
import {
  type AccessExplainer,
  type Backups,
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
import type { MonitoringPages } from '../monitoring/monitoring-pages.js'
import { systemProblem } from '../system-problem.js'
import { HttpServer } from './http-server.js'
import { httpAddress, httpTls, tokensFileOf } from './http-settings.js'
import { MqttUpgrade } from './mqtt-upgrade.js'
import { settingsPart } from './settings-part.js'

export interface ServedBroker {
  readonly broker: Broker
  readonly settings: Resolved
  /** Its listeners in words, as `127.0.0.1:1883`. */
  readonly doors: () => readonly string[]
  readonly users: Users
  readonly rules: Rules
  readonly access: AccessExplainer
  readonly backups: Backups
  readonly recent: RecentLog
  readonly bridges: Bridged
  readonly reload: () => Promise<ReloadAnswer>
  readonly delay: EventLoopDelay
  /** Counters and health, where they are served at the same address. */
  readonly monitoring: MonitoringPages | undefined
  readonly log: Logger
}

/** The HTTP API of a running broker, served. */
export interface BrokerHttp {
  /** Where browsers find it. */
  readonly url: string
  /** A link that logs a browser in as an admin, once, within five minutes. It is for one person, and for no log. */
  loginLink(): string
  /** Reads the certificates again. */
  reload(): Promise<void>
  close(): Promise<void>
}

/**
 * Serves the HTTP API where the configuration says. An address that is taken costs a line in the log, not the broker: `undefined`.
 * @throws CommandError, BrokerError for certificates that cannot be used.
 */
export async function brokerHttp(served: ServedBroker): Promise<BrokerHttp | undefined> {
  const { broker, settings, log, monitoring, delay } = served
  const { config } = settings
  const address = httpAddress(config)
  if (!address) return undefined
  const { publicUrl } = config.http
  const file = tokensFileOf(config)
  const { users, rules, access, backups, recent } = served
  const api = adminApi(broker, {
    tokens: file === undefined ? noTokens : new TokenFile(file, log),
    publicUrl,
    hosts: [address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`],
    logger: log,
    listeners: served.doors,
    eventLoopDelay: delay.histogram,
    users,
    rules,
    access,
    backups,
    log: recent,
    configuration: settingsPart(settings, served.reload),
  })
  const mqtt = new MqttUpgrade(broker, api)
  let server: HttpServer
  try {
    const tls = await httpTls(config)
    server = await HttpServer.open(address, tls, { api, monitoring, page: consolePage(), mqtt, log }).catch(
      (error: unknown) => {
        throw new Unavailable(systemProblem(error))
      },
    )
  } catch (error) {
    api.close()
    if (!(error instanceof Unavailable)) throw error
    log.log(
      'warn',
      `there is no HTTP API and no console: cannot listen on ${address.host}:${address.port}: ${error.message}; choose another with --http [HOST:]PORT, or --http none`,
    )
    return undefined
  }
  const url = publicUrl?.replace(/\/+$/, '') ?? server.url.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//localhost:')
  return {
    url,
    loginLink: () => `${url}/#login=${api.loginCode('admin')}`,
    async reload() {
      const tls = await httpTls(config)
      if (tls) server.renew(tls)
    },
    async close() {
      api.close()
      await server.close()
    },
  }
}

/** The system lets nobody listen there. */
class Unavailable extends Error {}

const noTokens = { find: () => undefined, isGood: () => false }
