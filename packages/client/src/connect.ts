import type { Client } from './client.js'
import type { ConnectOptions } from './options.js'
import { ReconnectingClient } from './reconnecting-client.js'
import { resolveOptions } from './settings.js'

/**
 * Connects to an MQTT server and stays connected.
 *
 * Resolves with the first CONNACK that accepts. Until then it tries the given servers in turn, with backoff.
 *
 * @param url `scheme://[user[:password]@]host[:port]`. Several are tried in turn. `mqtt` or `tcp`: TCP, port 1883 by
 *   default; `mqtts`, `ssl` or `tls`: TLS, 8883; `ws`, `wss`: a WebSocket, 80, over TLS 443, where a path may follow,
 *   `/mqtt` by default. `unix:///path`: a Unix domain socket. Other environments than Node have `ws` and `wss` only.
 * @throws InvalidArgumentError for options that cannot work; ServerRefusedError and other permanent errors as soon as
 *   they are known; ConnectionError 'connect-timeout' after `connectTimeoutMs`, or the first failure when `reconnect`
 *   is false; InterruptedError 'aborted' when `signal` fires.
 */
export async function connect(url: string | readonly string[], options: ConnectOptions = {}): Promise<Client> {
  const client = new ReconnectingClient(resolveOptions(url, options))
  await client.start()
  return client
}
