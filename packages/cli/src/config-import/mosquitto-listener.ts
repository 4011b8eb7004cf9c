import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'

/** The last line that said each option: of the whole file, of one listener, or of what guards one. */
export type Said = Map<string, MosquittoLine>

/** A listener of mosquitto as far as it has been read. */
export interface MosquittoListener {
  /** Its line; undefined for the default listener. */
  readonly line: MosquittoLine | undefined
  readonly port: number
  /** Address, or with port 0 the path of a Unix socket. */
  readonly at: string | undefined
  readonly said: Said
  /** All lines of `websockets_origin`. */
  readonly origins: MosquittoLine[]
}

/** `listener PORT [ADDRESS | PATH]`. */
export function readListener(line: MosquittoLine): MosquittoListener {
  const [port = '', at] = line.value.replace(/\s#.*$/, '').split(/\s+/)
  return { line, port: Number(port), at, said: new Map(), origins: [] }
}

export const isTrue = (line: MosquittoLine | undefined): boolean =>
  line !== undefined && (line.value === '' || /^(true|1)$/i.test(line.value))

/** Writes one listener into the draft. */
export function writeListener(draft: Draft, index: number, listener: MosquittoListener, isLocal: boolean): void {
  const { said } = listener
  const path = (...steps: readonly string[]): Path => ['listeners', index, ...steps]
  const isWebSocket = said.get('protocol')?.value === 'websockets'
  const isSecure = said.has('certfile')
  const protocol = isWebSocket ? (isSecure ? 'wss' : 'ws') : isSecure ? 'mqtts' : 'mqtt'
  draft.set(path('protocol'), protocol, isSecure ? said.get('certfile') : said.get('protocol'))
  writeAddress(draft, path, listener, isLocal)
  if (isWebSocket) draft.set(path('path'), '*', undefined, 'mosquitto looks at no path')
  for (const [at, line] of listener.origins.entries()) {
    if (isWebSocket) draft.set([...path('origins'), at], line.value, line)
    else draft.cannot(line, 'origins are for a listener of WebSocket; this is none')
  }
  if (isSecure) writeTls(draft, path, said)
  else if (said.has('keyfile')) draft.cannot(said.get('keyfile'), 'TLS needs certfile too; this listener has none')
}

type PathTo = (...steps: readonly string[]) => Path

function writeAddress(draft: Draft, path: PathTo, listener: MosquittoListener, isLocal: boolean): void {
  const { line, port, at, said } = listener
  const bindAddress = said.get('bind_address')
  if (port === 0) return draft.set(path('socket'), at, line)
  const domain = said.get('socket_domain')
  const host = at ?? bindAddress?.value
  if (host !== undefined) draft.set(path('host'), host, line ?? bindAddress)
  else if (isLocal) draft.set(path('host'), '127.0.0.1', undefined, 'as mosquitto without a listener')
  else if (domain?.value === 'ipv4') draft.set(path('host'), '0.0.0.0', domain, 'every address of IPv4')
  else draft.set(path('host'), '::', line ?? said.get('port'), 'every address, IPv4 and IPv6')
  if (domain?.value === 'ipv6' && host === undefined) draft.needsNothing(domain, 'host "::" takes IPv4 too')
  draft.set(path('port'), port, line ?? said.get('port'))
}

const oldTls = ['tlsv1', 'tlsv1.0', 'tlsv1.1']

function writeTls(draft: Draft, path: PathTo, said: Said): void {
  const plain = { cert: 'certfile', key: 'keyfile', ca: 'cafile', ciphers: 'ciphers' }
  for (const [key, option] of Object.entries(plain)) {
    const line = said.get(option)
    if (line) draft.set(path('tls', key), line.value, line)
  }
  const needed = ['requestCert', 'crl'] as const
  for (const [at, option] of (['require_certificate', 'crlfile'] as const).entries()) {
    const line = said.get(option)
    if (!line || (option === 'require_certificate' && !isTrue(line))) continue
    if (said.has('cafile')) draft.set(path('tls', needed[at]!), option === 'crlfile' ? line.value : true, line)
    else draft.cannot(line, 'it needs tls.ca, one PEM file with the certificates of those who sign')
  }
  const version = said.get('tls_version')
  if (version?.value === 'tlsv1.3') draft.set(path('tls', 'minVersion'), 'TLSv1.3', version)
  else if (version && oldTls.includes(version.value)) {
    draft.cannot(version, 'TLS below 1.2 is broken and not served; clients that know nothing newer need an update')
  } else if (version) draft.needsNothing(version, 'TLS 1.2 and newer is what is served')
}
