import { CheckedClient } from './checked-client.js'
import { noChecks } from './checks.js'
import { open } from './open.js'
import type { PageClient, PageConnectOptions } from './page-client.js'
import type { GivenServers } from './server-address.js'
import { resolveOptions } from './settings.js'

/**
 * Connects to an MQTT server over a WebSocket and stays connected, as `connect` of `@godwit/client` does.
 *
 * @param server `wss://[user[:password]@]host[:port][/path]` or `ws://`. Several are tried in turn. The path is `/mqtt` by default.
 * @throws InvalidArgumentError for options that cannot work; ServerRefusedError and other permanent errors as soon as they are
 *   known; ConnectionError 'connect-timeout' after `connectTimeoutMs`, or the first failure when `reconnect` is false;
 *   InterruptedError 'aborted' when `signal` fires.
 */
export async function connect(
  server: GivenServers,
  { checks = noChecks, ...options }: PageConnectOptions = {},
): Promise<PageClient> {
  // Most pages have none: it is in a file of its own.
  const authenticator = options.authentication && (await import('./enhanced-auth.js')).authenticator
  return open(CheckedClient, resolveOptions(server, options, { checks, authenticator }))
}
