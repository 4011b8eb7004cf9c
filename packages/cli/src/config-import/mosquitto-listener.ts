import { readdirSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { isTrue } from './mosquitto-writes.js'

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

/** `listener PORT [ADDRESS | PATH]`, words both; what follows is not read. */
export function readListener(draft: Draft, line: MosquittoLine): MosquittoListener | undefined {
  const [port = '', second, ...more] = line.value.split(/ +/)
  const at = second?.startsWith('#') ? undefined : second
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) {
    draft.refuse(line, 'it takes a port, and then an address or the path of a Unix socket')
    return undefined
  }
  if (port === '0' && at === undefined) {
    draft.refuse(line, 'port 0 takes the path of a Unix socket')
    return undefined
  }
  if (at !== undefined && more.length > 0 && !more[0]!.startsWith('#')) {
    draft.needsNothing(line, `mosquitto does not read '${more.join(' ')}'`)
  }
  return { line, port: Number(port), at, said: new Map(), origins: [] }
}

/** With a certificate and its key; one without the other is no TLS. */
export function isSecure({ said }: MosquittoListener): boolean {
  return said.has('certfile') && said.has('keyfile')
}

/** Writes one listener into the draft. */
export function writeListener(draft: Draft, index: number, listener: MosquittoListener, isLocal: boolean): void {
  const { said } = listener
  const path = (...steps: readonly string[]): Path => ['listeners', index, ...steps]
  const isWebSocket = said.get('protocol')?.value === 'websockets'
  const secure = isSecure(listener)
  const protocol = isWebSocket ? (secure ? 'wss' : 'ws') : secure ? 'mqtts' : 'mqtt'
  draft.set(path('protocol'), protocol, secure ? said.get('certfile') : said.get('protocol'))
  writeAddress(draft, path, listener, isLocal)
  if (isWebSocket) draft.set(path('path'), '*', undefined, 'mosquitto looks at no path')
  for (const [at, line] of listener.origins.entries()) {
    if (isWebSocket) draft.set([...path('origins'), at], line.value, line)
    else draft.cannot(line, 'origins are for a listener of WebSocket; this is none')
  }
  if (secure) writeTls(draft, path, said)
  else tellWithoutTls(draft, said)
}

/** Half of TLS is a mistake; the rest mosquitto 2.0 does not look at. */
function tellWithoutTls(draft: Draft, said: Said): void {
  for (const [one, other] of [
    ['certfile', 'keyfile'],
    ['keyfile', 'certfile'],
  ] as const) {
    const line = said.get(one)
    if (line) draft.refuse(line, `TLS needs ${other} too; without it 2.0 listens without TLS, and 2.1 does not start`)
  }
  const ofTls = ['cafile', 'capath', 'crlfile', 'require_certificate', 'tls_version', 'ciphers']
  for (const option of [...ofTls, 'use_identity_as_username', 'use_subject_as_username']) {
    const line = said.get(option)
    if (!line || line.value === 'false') continue
    draft.cannot(line, 'its listener has no TLS (certfile and keyfile), so mosquitto 2.0 does not look at it')
  }
}

type PathTo = (...steps: readonly string[]) => Path

function writeAddress(draft: Draft, path: PathTo, listener: MosquittoListener, isLocal: boolean): void {
  const { line, port, at, said } = listener
  if (port === 0) return draft.set(path('socket'), at, line)
  const bindAddress = said.get('bind_address')
  const device = said.get('bind_interface')
  const domain = said.get('socket_domain')
  const host = at ?? bindAddress?.value
  if (bindAddress && /\s/.test(bindAddress.value)) draft.refuse(bindAddress, 'an address is one word')
  if (device) writeDevice(draft, path, device, host)
  else if (host !== undefined) draft.set(path('host'), host, line ?? bindAddress)
  else if (isLocal) draft.set(path('host'), '127.0.0.1', undefined, 'as mosquitto without a listener')
  else if (domain?.value === 'ipv4') draft.set(path('host'), '0.0.0.0', domain, 'every address of IPv4')
  else draft.set(path('host'), '::', line ?? said.get('port'), 'every address, IPv4 and IPv6')
  if (domain && host === undefined && !device && !isLocal && domain.value === 'ipv6') {
    draft.cannot(domain, 'host "::" takes IPv4 too; for IPv6 alone say an address of this machine')
  }
  draft.set(path('port'), port, line ?? said.get('port'))
}

/** One device alone: its address as it is now, and never more addresses than mosquitto has. */
function writeDevice(draft: Draft, path: PathTo, device: MosquittoLine, host: string | undefined): void {
  const addresses = networkInterfaces()[device.value] ?? []
  const address = host ?? (addresses.find(({ family }) => family === 'IPv4') ?? addresses[0])?.address
  if (address === undefined) {
    draft.set(path('host'), '127.0.0.1', device, 'until you say its address')
    draft.cannot(
      device,
      'there is no such interface on this machine: say its address as host; until then, this machine alone',
    )
  } else {
    draft.set(
      path('host'),
      address,
      device,
      host === undefined ? `the address of ${device.value} as it is now` : undefined,
    )
    if (host !== undefined) draft.cannot(device, `a listener is bound to an address alone, which is ${host}`)
  }
}

const oldTls = ['tlsv1', 'tlsv1.0', 'tlsv1.1']

function writeTls(draft: Draft, path: PathTo, said: Said): void {
  const plain = { cert: 'certfile', key: 'keyfile', ciphers: 'ciphers' }
  for (const [key, option] of Object.entries(plain)) {
    const line = said.get(option)
    if (line) draft.set(path('tls', key), line.value, line)
  }
  const hasAuthority = writeAuthorities(draft, path, said)
  const required = said.get('require_certificate')
  if (isTrue(required)) {
    draft.set(path('tls', 'requestCert'), true, required)
    if (!hasAuthority) draft.cannot(required, 'it needs tls.ca, one PEM file with the certificates of those who sign')
  }
  const revoked = said.get('crlfile')
  if (revoked) {
    draft.set(path('tls', 'crl'), revoked.value, revoked, 'with CAs between, the file needs the list of each')
    if (!hasAuthority) draft.cannot(revoked, 'it needs tls.ca, one PEM file with the certificates of those who sign')
  }
  const version = said.get('tls_version')
  if (version?.value === 'tlsv1.3') draft.set(path('tls', 'minVersion'), 'TLSv1.3', version)
  else if (version?.value === 'tlsv1.2') draft.needsNothing(version, 'TLS 1.2 and newer is what is served')
  else if (version && oldTls.includes(version.value)) {
    draft.cannot(version, 'TLS below 1.2 is broken and not served; clients that know nothing newer need an update')
  } else if (version) draft.refuse(version, `it takes tlsv1.2 or tlsv1.3, not '${version.value}'`)
}

/** @returns Whether there is one. */
export function writeAuthorities(draft: Draft, path: PathTo, said: ReadonlyMap<string, MosquittoLine>): boolean {
  const file = said.get('cafile')
  const folder = said.get('capath')
  if (file && !folder) draft.set(path('tls', 'ca'), file.value, file)
  if (!folder) return file !== undefined
  const files = [...(file ? [file.value] : []), ...hashedFiles(draft, folder)]
  for (const [at, one] of files.entries()) {
    draft.set([...path('tls', 'ca'), at], one, file && at === 0 ? file : folder)
  }
  if (files.length > (file ? 1 : 0))
    draft.remark(folder, 'tls.ca names the files that are in it now; add new ones there')
  return files.length > 0
}

/** OpenSSL looks for certificates under the names that `openssl rehash` has made, and for no others. */
function hashedFiles(draft: Draft, folder: MosquittoLine): readonly string[] {
  let names: readonly string[] = []
  try {
    names = readdirSync(folder.value).filter((name) => /^[\da-f]{8}\.\d+$/.test(name))
  } catch {
    // told below
  }
  if (names.length === 0) {
    draft.cannot(folder, 'no certificate is found in it (openssl rehash names them): list PEM files as tls.ca: [...]')
  }
  return [...new Set(names.map((name) => join(folder.value, target(join(folder.value, name)) ?? name)))].sort()
}

/** The certificate beside the link; the link itself where it leads elsewhere. */
function target(link: string): string | undefined {
  try {
    const to = readlinkSync(link)
    return to.includes('/') ? undefined : to
  } catch {
    return undefined
  }
}
