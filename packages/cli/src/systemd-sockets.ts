import type { InheritedSocket, ListenOptions } from '@godwit/broker'
import { CommandError } from './command-error.js'
import type { Config } from './config/schema.js'

/**
 * The configuration with systemd's sockets in the place of its first listeners: what they are bound to is for their unit
 * to say, so they count as reachable by other machines.
 * @throws CommandError when there are more of them than listeners.
 */
export function withSystemdSockets(config: Config, sockets: readonly InheritedSocket[]): Config {
  const { listeners } = config
  if (sockets.length > listeners.length) {
    throw new CommandError(
      `systemd gives ${sockets.length} sockets and the configuration has ${listeners.length} listeners; add a listener for each ListenStream=, in their order`,
    )
  }
  return {
    ...config,
    listeners: listeners.map((one, at) => (sockets[at] ? { ...one, host: 'a socket of systemd' } : one)),
  }
}

/** A listener on a socket that is open already. */
export function listenOn(socket: InheritedSocket | undefined, options: ListenOptions): ListenOptions {
  if (socket === undefined) return options
  const { host: _host, port: _port, path: _path, ...rest } = options
  const { mode: _mode, ...others } = rest as typeof rest & { mode?: number }
  return { ...others, fd: socket.fd }
}
