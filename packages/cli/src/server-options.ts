import { pathToFileURL } from 'node:url'
import { InvalidArgumentError } from 'commander'
import { CommandError } from './command-error.js'
import type { CommandLine } from './manual.js'
import { everyScheme, parseServerUrl, type ServerUrl } from './server-url.js'
import { addTlsOptions, type TlsFlags } from './tls-options.js'

/** The flags that say where a server is and how it is reached, as people know them from mosquitto's clients. */
export interface ServerFlags extends TlsFlags {
  readonly host?: string
  readonly port?: number
  readonly url?: ServerUrl
  readonly unix?: string
  readonly ws?: true
}

export function addServerOptions(command: CommandLine): CommandLine {
  return addTlsOptions(command)
    .option('-L, --url <url>', 'all in one: mqtt[s]://[user[:password]@]host[:port]/topic, ws[s]://…/path', serverUrl)
    .option('--unix <path>', 'a Unix domain socket instead of host and port')
    .option('--ws', 'over a WebSocket, at the path /mqtt')
}

/**
 * The URL: what the single flags say, then what --url says.
 * @throws CommandError for flags that do not go together.
 */
export function serverOf(flags: ServerFlags, hasTlsFlags: boolean): string {
  const { url, unix = url?.transport === 'unix' ? url.path : undefined } = flags
  if (unix !== undefined) {
    const others = hasTlsFlags || flags.ws || flags.host !== undefined || flags.port !== undefined
    if (!others) return `unix://${pathToFileURL(unix).pathname}`
    throw new CommandError('a Unix domain socket has no host, port, WebSocket or TLS; leave out those flags')
  }
  const isWebSocket = flags.ws || url?.transport === 'ws' || url?.transport === 'wss'
  // As mosquitto's clients: that port alone means TLS.
  const isUsual = url === undefined && flags.port === 8883
  const isTls = hasTlsFlags || isUsual || url?.transport === 'tls' || url?.transport === 'wss'
  const [scheme, usualPort] = schemes[isWebSocket ? 'webSocket' : 'plain'][isTls ? 'tls' : 'open']
  const host = flags.host ?? url?.host ?? 'localhost'
  const port = flags.port ?? url?.port ?? usualPort
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${isWebSocket ? (url?.path ?? '/mqtt') : ''}`
}

const schemes = {
  plain: { open: ['mqtt', 1883], tls: ['mqtts', 8883] },
  webSocket: { open: ['ws', 80], tls: ['wss', 443] },
} as const

/** @throws InvalidArgumentError saying what is wrong with it. */
export function serverUrl(text: string): ServerUrl {
  const parsed = parseServerUrl(text, everyScheme)
  if (typeof parsed === 'string') throw new InvalidArgumentError(parsed)
  return parsed
}
