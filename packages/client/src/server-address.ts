import type { Credentials } from './credentials.js'
import { InvalidArgumentError } from './errors.js'

/** A server, as its URL named it. */
export interface ServerAddress {
  /** As given, without user name and password: for messages. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** From the URL; `credentials` and the options of the same names win. */
  readonly credentials: Credentials
}

const schemes: ReadonlySet<string> = new Set(['mqtt:', 'tcp:'])
const supported = 'use mqtt://host[:port] or tcp://host[:port]'
const defaultPort = 1883

/** Reads `mqtt://[user[:password]@]host[:port]`. Throws InvalidArgumentError. */
export function parseServerUrl(text: string): ServerAddress {
  // A message may end in a log: the password must not.
  const shown = text.replace(/\/\/[^/]*@/, '//')
  if (!URL.canParse(text)) throw new InvalidArgumentError('invalid-option', `'${shown}' is not a URL: ${supported}`)
  const url = new URL(text)
  if (!schemes.has(url.protocol)) {
    throw new InvalidArgumentError(
      'unsupported-scheme',
      `'${shown}': scheme '${url.protocol}//' is not supported: ${supported}`,
    )
  }
  if (url.hostname === '') throw new InvalidArgumentError('invalid-option', `'${shown}' names no host: ${supported}`)
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('invalid-option', `'${shown}': nothing may follow the port: ${supported}`)
  }
  return {
    url: withoutCredentials(url),
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    port: url.port === '' ? defaultPort : Number(url.port),
    credentials: {
      ...(url.username !== '' && { username: decoded(url.username, shown) }),
      ...(url.password !== '' && { password: decoded(url.password, shown) }),
    },
  }
}

function withoutCredentials(url: URL): string {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  return copy.href
}

function decoded(part: string, shown: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new InvalidArgumentError('invalid-option', `'${shown}': '%' in a user name or password must be written '%25'`)
  }
}
