import { unixServer, urlForms } from '#socket'
import type { Credentials } from './credentials.js'
import { InvalidArgumentError, invalidOption } from './errors.js'
import { decodedPart } from './url-part.js'
import { kindOf } from './value-kind.js'

/** How bytes travel: over TCP, TLS, a WebSocket, a WebSocket over TLS, or a Unix domain socket. */
export type Transport = 'tcp' | 'tls' | 'ws' | 'wss' | 'unix'

/** A server, as its URL named it. */
export interface ServerAddress {
  /** As given, without user name and password: for messages, and for whoever opens a WebSocket. */
  readonly url: string
  readonly transport: Transport
  /** Of a Unix domain socket: ''. */
  readonly host: string
  /** Of a Unix domain socket: 0. */
  readonly port: number
  /** Of a WebSocket: path and query. Of a Unix domain socket: the file. Of others: ''. */
  readonly path: string
  /** From the URL; `credentials` and the options of the same names win. */
  readonly credentials: Credentials
}

/** A server, or several that are tried in turn. */
export type GivenServers = string | URL | readonly (string | URL)[]

interface Scheme {
  readonly transport: Transport
  readonly port: number
}

const schemes: Readonly<Record<string, Scheme>> = {
  'mqtt:': { transport: 'tcp', port: 1883 },
  'tcp:': { transport: 'tcp', port: 1883 },
  'mqtts:': { transport: 'tls', port: 8883 },
  'ssl:': { transport: 'tls', port: 8883 },
  'tls:': { transport: 'tls', port: 8883 },
  'ws:': { transport: 'ws', port: 80 },
  'wss:': { transport: 'wss', port: 443 },
}

/** Where most servers have MQTT when a URL does not say. */
const usualPath = '/mqtt'

/** The servers that the program gave. Throws InvalidArgumentError. */
export function givenServers(given: GivenServers): readonly ServerAddress[] {
  const servers = (Array.isArray(given) ? (given as readonly unknown[]) : [given]).map(givenServer)
  if (servers.length === 0) throw invalidOption(`connect: no server is given: ${urlForms}`)
  return servers
}

/** A URL of a server in the network, or `unix:///path`. Throws InvalidArgumentError. */
export function givenServer(given: unknown): ServerAddress {
  if (typeof given === 'string' || isUrl(given)) {
    const text = String(given)
    return unixServer(text) ?? parseServerUrl(text)
  }
  throw invalidOption(`connect: the server is ${kindOf(given)}, not a URL: ${urlForms}`)
}

/**
 * Reads `scheme://[user[:password]@]host[:port]`, where a path may follow for a WebSocket. Throws InvalidArgumentError.
 * Not for files: the URL may come from a server, which has no business with this machine's.
 */
export function parseServerUrl(text: string): ServerAddress {
  // A message may end in a log: the password must not.
  const shown = text.replace(/\/\/[^/]*@/, '//')
  if (!URL.canParse(text)) throw invalidOption(`'${shown}' is not a URL: ${urlForms}`)
  const url = new URL(text)
  const scheme = schemes[url.protocol]
  if (scheme === undefined) {
    throw new InvalidArgumentError(
      'unsupported-scheme',
      `'${shown}': scheme '${url.protocol}//' is not supported: ${urlForms}`,
    )
  }
  if (url.hostname === '') throw invalidOption(`'${shown}' names no host: ${urlForms}`)
  const { transport } = scheme
  const isWebSocket = transport === 'ws' || transport === 'wss'
  if (isWebSocket && /^[^/]*\/\/[^/?#]*$/.test(text)) url.pathname = usualPath
  const path = `${url.pathname}${url.search}`
  if ((!isWebSocket && path !== '' && path !== '/') || url.hash !== '') {
    const what = isWebSocket ? "a WebSocket's path ends before '#'" : 'nothing may follow the port'
    throw invalidOption(`'${shown}': ${what}: ${urlForms}`)
  }
  return {
    url: withoutCredentials(url),
    transport,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? scheme.port : Number(url.port),
    path: isWebSocket ? path : '',
    credentials: {
      ...(url.username !== '' && { username: decodedPart(url.username, `'${shown}'`) }),
      ...(url.password !== '' && { password: decodedPart(url.password, `'${shown}'`) }),
    },
  }
}

/** Also one of another realm. */
export function isUrl(value: unknown): value is URL {
  return value instanceof URL || Object.prototype.toString.call(value) === '[object URL]'
}

function withoutCredentials(url: URL): string {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  return copy.href
}
