import type { InheritedSocket, Logger } from '@godwit/broker'
import { checkListen } from '@godwit/broker'
import { accessOf, whoMayCome } from '../broker-access.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { listenOptions } from '../configured-listeners.js'
import { checkHttp, httpTls } from '../http/http-settings.js'
import { loadPlugins } from '../plugins/plugins.js'
import { withSystemdSockets } from '../systemd-sockets.js'

/**
 * Tries whether a broker could start with these settings: reads every file they name, with throw-away parts.
 * @param sockets those that systemd has given to this process. Default: none.
 * @param log is told what a broker would be told at its start. Default: nobody.
 * @throws CommandError, BrokerError
 */
export async function tryOut(
  settings: Resolved,
  sockets: readonly InheritedSocket[] = [],
  log: Logger = { log() {} },
): Promise<void> {
  const { config } = settings
  checkHttp(config)
  if (config.cluster) (await import('../cluster/cluster-settings.js')).checkCluster(settings)
  await inPlace(settings, ['http', 'tls'], () => httpTls(config))
  const plugins = await loadPlugins(settings, { log })
  whoMayCome(withSystemdSockets(config, sockets), plugins)
  const access = await accessOf(settings, { log, disconnect() {}, use() {}, plugins })
  access.close()
  if (config.bridges.length > 0) {
    const { bridgeOptions } = await import('../bridges/bridge-options-of.js')
    for (const at of config.bridges.keys()) await bridgeOptions(settings, at, log)
  }
  for (const [at, listener] of config.listeners.entries()) {
    await inPlace(settings, ['listeners', at], () => checkListen(listenOptions(listener, '', false)))
  }
  const { forward } = config.cluster ?? {}
  if (!forward) return
  const { checkForward } = await import('../cluster/node-edge.js')
  await inPlace(settings, ['cluster', 'forward'], () => checkForward(forward))
}
