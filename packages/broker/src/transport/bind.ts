import { lstatSync, unlinkSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { BrokerError } from '../errors.js'
import { isAnswered, listenAt } from '../unix-socket.js'
import type { InheritedOptions, TcpOptions, UnixOptions } from './listen-options.js'

/** Where a server listens. */
interface Bound {
  readonly host: string
  readonly port: number
  readonly path?: string
}

/** Pending connections the kernel keeps; above its own bound the kernel's holds. */
const backlog = 4096

export const defaultMode = 0o660

/**
 * Lets a server listen.
 * @throws BrokerError `listen-failed` (in use, address not on this machine, no permission).
 */
export async function bind(
  server: Server,
  where: TcpOptions | UnixOptions | InheritedOptions,
  defaultPort: number,
): Promise<Bound> {
  if (where.fd !== undefined) {
    const { fd } = where
    return bound(await listening(server, () => server.listen({ fd }), `file descriptor ${fd}`))
  }
  if (where.path !== undefined) {
    const { path, mode = defaultMode } = where
    await removeStale(path)
    await listening(server, () => listenAt(server, path, mode, { backlog }), path)
    return { host: '', port: 0, path }
  }
  const { host = '127.0.0.1', port = defaultPort } = where
  return { ...bound(await listening(server, () => server.listen({ host, port, backlog }), `${host}:${port}`)), host }
}

function bound(server: Server): Bound {
  const address = server.address() as AddressInfo | string | null
  if (address === null) return { host: '', port: 0 }
  return typeof address === 'string'
    ? { host: '', port: 0, path: address }
    : { host: address.address, port: address.port }
}

function listening(server: Server, listen: () => void, name: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(new BrokerError('listen-failed', `cannot listen on ${name}: ${explain(error)}`, { cause: error }))
    }
    server.on('error', failed) // stays: a later error of the listener must not end the process
    try {
      server.once('listening', () => resolve(server))
      listen()
    } catch (error) {
      failed(error as NodeJS.ErrnoException) // a port that is none
    }
  })
}

/** A process that was killed leaves its socket file, and nobody could listen there again. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) {
    throw new BrokerError(
      'listen-failed',
      `cannot listen on ${path}: a file that is no socket is there; choose another path`,
    )
  }
  if (await isAnswered(path)) {
    throw new BrokerError('listen-failed', `cannot listen on ${path}: ${inUse}`)
  }
  unlinkSync(path)
}

const inUse = 'it is in use by another program; end that program or choose another path'

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use by another program; end that program or choose another port'
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'no such address on this machine'
    case 'EACCES':
      return 'not permitted; ports below 1024 need privileges, and a Unix socket needs a folder one may write'
    default:
      return error.message
  }
}
