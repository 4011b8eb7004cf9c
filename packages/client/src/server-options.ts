import { invalidOption } from './errors.js'
import { aNumber, aString, checkOptions, optionTable } from './option-checks.js'
import type { ConnectOptions } from './options.js'
import { kindOf } from './value-kind.js'

/** A server in words of its own instead of a URL. They stand among the options of connect(). */
export interface ServerOptions {
  /** A name, or an address of either kind. */
  readonly host: string
  /** Default: that of the protocol, 1883 for `mqtt`. */
  readonly port?: number
  /** How to get there. Default `mqtt`. */
  readonly protocol?: 'mqtt' | 'tcp' | 'mqtts' | 'ssl' | 'tls' | 'ws' | 'wss'
  /** Of a WebSocket, after the slash or with it. Default `mqtt`. */
  readonly path?: string
}

const serverTable = optionTable<ServerOptions>({ host: aString, port: aNumber, protocol: aString, path: aString })

/**
 * Takes the server out of the options.
 * @throws InvalidArgumentError without `host`, or with what can be no part of a URL.
 */
export function splitServer(given: ServerOptions & ConnectOptions): { url: string; options: ConnectOptions } {
  const { host, port, protocol, path, ...options } = given
  checkOptions('connect', { host, port, protocol, path }, serverTable)
  if (host === undefined) {
    throw invalidOption(
      `connect: host is ${kindOf(host)}: name the server by a URL, connect('mqtt://localhost'), or with host`,
    )
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw invalidOption(`connect: port is ${port}: it must be a whole number from 1 to 65535`)
  }
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const scheme = (protocol ?? 'mqtt').replace(/:?\/*$/, '')
  const url = `${scheme}://${name}${port === undefined ? '' : `:${port}`}`
  return { url: path === undefined ? url : `${url}/${path.replace(/^\//, '')}`, options }
}
