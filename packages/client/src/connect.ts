import { allParts } from './all-parts.js'
import type { Client } from './client.js'
import { open } from './open.js'
import type { ConnectOptions } from './options.js'
import { RequestingClient } from './requesting-client.js'
import { type GivenServers, isUrl } from './server-address.js'
import { type ServerOptions, splitServer } from './server-options.js'
import { resolveOptions, type Settings } from './settings.js'

/**
 * Connects to an MQTT server and stays connected.
 *
 * Resolves with the first CONNACK that accepts. Until then it tries the given servers in turn, with backoff.
 *
 * @param server `scheme://[user[:password]@]host[:port]`. Several are tried in turn. `mqtt` or `tcp`: TCP, port 1883 by
 *   default; `mqtts`, `ssl` or `tls`: TLS, 8883; `ws`, `wss`: a WebSocket, 80, over TLS 443, where a path may follow,
 *   `/mqtt` by default. `unix:///path`: a Unix domain socket. Other environments than Node have `ws` and `wss` only.
 * @throws InvalidArgumentError for options that cannot work, or do not exist; ServerRefusedError and other permanent
 *   errors as soon as they are known; ConnectionError 'connect-timeout' after `connectTimeoutMs`, or the first failure
 *   when `reconnect` is false; InterruptedError 'aborted' when `signal` fires.
 */
export async function connect(server: GivenServers, options?: ConnectOptions): Promise<Client>
/**
 * The same with one object, which names one server by `host`, `port`, `protocol` and `path` instead of a URL:
 * `connect({ host: 'broker.local', clientId: 'thermo' })`.
 */
export async function connect(options: ServerOptions & ConnectOptions): Promise<Client>
export async function connect(
  server: GivenServers | (ServerOptions & ConnectOptions),
  options: ConnectOptions = {},
): Promise<Client> {
  return open(RequestingClient, settingsOf(server, options))
}

function settingsOf(server: GivenServers | (ServerOptions & ConnectOptions), options: ConnectOptions): Settings {
  if (typeof server !== 'object' || server === null || Array.isArray(server) || isUrl(server)) {
    return resolveOptions(server as GivenServers, options, allParts)
  }
  const { url, options: own } = splitServer({ ...(server as ServerOptions), ...options })
  return resolveOptions(url, own, allParts)
}
