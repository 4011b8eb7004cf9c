import { isDeepStrictEqual } from 'node:util'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { filesOf } from '../control/files-of.js'
import type { Reloadable } from '../control/reloading.js'
import { bridgesText } from '../monitoring/bridges-text.js'
import { EventLoopDelay } from '../monitoring/event-loop-delay.js'
import { monitoringAddress } from '../monitoring/monitoring-address.js'
import { MonitoringPages } from '../monitoring/monitoring-pages.js'
import { MonitoringServer } from '../monitoring/monitoring-server.js'
import { type Counting, pluginText } from '../monitoring/plugin-text.js'
import type { BrokerHttp, ServedBroker } from './broker-http.js'
import { httpAddress } from './http-settings.js'

/** What of a broker is served over HTTP. */
export interface WebServers {
  /** The API and the console; undefined: they are not served. */
  readonly http: BrokerHttp | undefined
  /** The URL of counters and health; undefined: they are not served. */
  readonly metrics: string | undefined
  readonly reloadable: readonly Reloadable[]
  close(): Promise<void>
}

/**
 * Opens them: one server where the two addresses are the same.
 * @throws CommandError for an address of the metrics that is taken; CommandError, BrokerError for certificates that cannot be used.
 */
export async function webServers(
  served: Omit<ServedBroker, 'delay' | 'monitoring'> & { readonly plugins: Counting },
): Promise<WebServers> {
  const { broker, settings, bridges, log, plugins } = served
  const { config } = settings
  const delay = new EventLoopDelay()
  const pages = new MonitoringPages(broker, delay, log, [() => bridgesText(bridges), () => pluginText(plugins)])
  const where = config.metrics === undefined ? undefined : monitoringAddress(String(config.metrics))
  const shares = where !== undefined && where.port !== 0 && isDeepStrictEqual(where, httpAddress(config))
  let monitoring: MonitoringServer | undefined
  let http: BrokerHttp | undefined
  const close = async (): Promise<void> => {
    delay.stop()
    await http?.close()
    await monitoring?.close()
  }
  try {
    if (where && !shares) monitoring = await MonitoringServer.open(pages, where, log)
    const parts = { ...served, delay, monitoring: shares ? pages : undefined }
    if (httpAddress(config)) {
      const { brokerHttp } = await loadHttp()
      http = await inPlace(settings, ['http', 'tls'], () => brokerHttp(parts))
    }
    // What is asked for is not passed over: that the address is taken ends the start.
    if (where && shares && !http) monitoring = await MonitoringServer.open(pages, where, log)
  } catch (error) {
    await close()
    throw error
  }
  const metrics = shares ? http?.url : monitoring?.url
  return { http, metrics, reloadable: http ? [certificatesOf(http, settings)] : [], close }
}

/** The API and all it needs, which a broker that does not serve it does without: some 10 MiB. */
export function loadHttp(): Promise<typeof import('./broker-http.js')> {
  return import('./broker-http.js')
}

function certificatesOf(http: BrokerHttp, settings: Resolved): Reloadable {
  const names = settings.config.http.tls ? ['certificates of the HTTP server'] : []
  return filesOf(
    names,
    settings,
    (config) => config.http.tls,
    () => http.reload(),
  )
}
