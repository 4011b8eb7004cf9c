import { BrokerError } from '../errors.js'
import { isLoopback } from '../network.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { checkNodeNames } from './node-names.js'

/** An address of this machine. */
export interface TcpOptions {
  /** Address to listen on. Default `127.0.0.1`: this machine only. */
  readonly host?: string
  /** Default 1883, with TLS 8883, for WebSocket 8083 and with TLS 8084; 0 = any free port. */
  readonly port?: number
  readonly path?: never
  readonly fd?: never
}

/** A socket in the file system. */
export interface UnixOptions {
  /** Removed at close. One left by a dead process is replaced, one of a living process refused. */
  readonly path: string
  /** Its permissions. Default 0o660: the user and the group. */
  readonly mode?: number
  readonly host?: never
  readonly port?: never
  readonly fd?: never
}

/** A socket that listens already; see `systemdSockets`. */
export interface InheritedOptions {
  /** Its file descriptor. */
  readonly fd: number
  readonly host?: never
  readonly port?: never
  readonly path?: never
}

/** Each of cert, key, ca and crl is the path of a PEM file, or PEM itself; ca may be several. Files are read again when they change. */
export interface TlsOptions {
  /** The broker's certificate, followed by those between it and its CA. */
  readonly cert: string
  readonly key: string
  /** Of the key. Default: it has none. */
  readonly passphrase?: string
  /** Who signs clients' certificates. Needed with `requestCert`. */
  readonly ca?: string | readonly string[]
  /** Certificates that the CA has revoked. Default: none. */
  readonly crl?: string
  /** Whether a client needs a certificate of `ca`. Default false. */
  readonly requestCert?: boolean
  /** Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Of TLS 1.2, in OpenSSL's form. Default: those of Node. */
  readonly ciphers?: string
  /** Protocols offered by ALPN, the preferred first; a client that asks for none of them is refused. Default: ALPN is not looked at. */
  readonly alpn?: readonly string[]
  /**
   * Seconds in which a client that comes again may go on with its TLS session instead of a whole handshake, by a ticket that it keeps
   * (the broker keeps nothing). Default 7,200; 0 = never; at most a week. What the broker makes tickets with changes every 12 hours, and when one
   * of the files does.
   */
  readonly sessionSeconds?: number
}

/** MQTT over WebSocket (section 6). */
export interface WebSocketOptions {
  /** Where in the URL; `*` = anywhere. Default `/mqtt`. */
  readonly path?: string
  /**
   * Web pages that may connect, as `https://app.example`. What is no browser says no Origin and is not asked. Default:
   * none where anybody may come in on a loopback address, else all.
   */
  readonly origins?: readonly string[]
}

/** The PROXY protocol, versions 1 and 2: a proxy says whom it connects for. */
export interface ProxyProtocolOptions {
  /** Addresses of proxies, or networks as `10.0.0.0/8`. They must send the header; nobody else may. */
  readonly from: readonly string[]
}

/**
 * Other nodes of a cluster pass their clients on here, each over a connection of its own: nobody else comes in. Beyond this machine
 * it takes `tls` with `ca`: a node shows a certificate.
 */
export interface NodeOptions {
  /** Nodes that may: names in their certificates (a DNS name, or the Common Name). Without TLS, on this machine, nobody is asked. */
  readonly names: readonly string[]
  /**
   * Names of the listeners at which their clients may have come in. Others are refused: nobody could say what rules hold for them.
   * Default: any, and none.
   */
  readonly listeners?: readonly string[]
}

/** Where to listen, and what is spoken there. */
export type ListenOptions = (TcpOptions | UnixOptions | InheritedOptions) & {
  /** Default: no TLS. */
  readonly tls?: TlsOptions
  /** Default: MQTT without WebSocket. */
  readonly websocket?: WebSocketOptions
  /** Default: nobody is a proxy. */
  readonly proxyProtocol?: ProxyProtocolOptions
  /** Default: clients come in here, and no nodes. */
  readonly node?: NodeOptions
  /** What hooks are told, as `client.listener`, of clients that come in here. Default: nothing. */
  readonly name?: string
  /**
   * Whether anybody may come in here, without showing who he is. Default: only programs of this machine, where no hook
   * authenticates; an address that others can reach is refused then, unless this is true. Where anybody may come in on a
   * loopback address, WebSocket is closed to web pages.
   */
  readonly allowAnonymous?: boolean
  /** Milliseconds for all that precedes MQTT together: PROXY header, TLS handshake, WebSocket upgrade. Default 10,000. */
  readonly handshakeTimeoutMs?: number
  /** Connections of this listener that may be at that at once, of one address half of them. Default 1,000; the next one is closed. */
  readonly maxHandshakes?: number
  /** Whether clients come in at once. Default true. False: who comes is closed without a word until `listener.open()` is called. */
  readonly accepting?: boolean
}

const names: NamesOf<ListenOptions & UnixOptions> & NamesOf<ListenOptions> = {
  host: true,
  port: true,
  path: true,
  mode: true,
  fd: true,
  tls: true,
  websocket: true,
  proxyProtocol: true,
  node: true,
  name: true,
  allowAnonymous: true,
  handshakeTimeoutMs: true,
  maxHandshakes: true,
  accepting: true,
}
const tlsNames: NamesOf<TlsOptions> = {
  cert: true,
  key: true,
  passphrase: true,
  ca: true,
  crl: true,
  requestCert: true,
  minVersion: true,
  ciphers: true,
  alpn: true,
  sessionSeconds: true,
}
const webSocketNames: NamesOf<WebSocketOptions> = { path: true, origins: true }
const proxyNames: NamesOf<ProxyProtocolOptions> = { from: true }
const nodeNames: NamesOf<NodeOptions> = { names: true, listeners: true }

/** The longest that TLS allows (RFC 8446, section 4.6.1). */
const weekSeconds = 604_800

/** What they are called elsewhere, and were here before. */
const elsewhere: Readonly<Record<string, string>> = {
  anonymous: 'allowAnonymous',
  hostname: 'host',
  address: 'host',
  socket: 'path',
  socketMode: 'mode',
  ws: 'websocket: {}',
  protocol: 'tls: { cert, key } or websocket: {}',
  secure: 'tls: { cert, key }',
  cert: 'tls: { cert, key }',
  key: 'tls: { cert, key }',
  trustProxy: 'proxyProtocol: { from }',
}
const elsewhereInTls: Readonly<Record<string, string>> = {
  rejectUnauthorized: 'requestCert: who asks for a certificate refuses who has none',
  ALPNProtocols: 'alpn',
  pfx: 'cert and key, in PEM',
}

/**
 * Checks what types do not.
 * @throws BrokerError `invalid-option`.
 */
export function checkListenOptions(options: ListenOptions): void {
  checkNames(options, names, 'listen', elsewhere)
  checkNames(options.tls, tlsNames, 'listen.tls', elsewhereInTls)
  checkNames(options.websocket, webSocketNames, 'listen.websocket')
  checkNames(options.proxyProtocol, proxyNames, 'listen.proxyProtocol')
  checkNames(options.node, nodeNames, 'listen.node')
  const { tls, websocket, proxyProtocol, path, handshakeTimeoutMs = 1, maxHandshakes = 1 } = options
  for (const [name, value] of Object.entries({ handshakeTimeoutMs, maxHandshakes })) {
    if (!Number.isSafeInteger(value) || value < 1 || value >= 2 ** 31) {
      throw invalid(`${name} is ${value}; it takes a whole number from 1`)
    }
  }
  const { sessionSeconds = 1 } = tls ?? {}
  if (!Number.isSafeInteger(sessionSeconds) || sessionSeconds < 0 || sessionSeconds > weekSeconds) {
    throw invalid(`tls.sessionSeconds is ${sessionSeconds}; it takes a whole number from 0 to ${weekSeconds} (a week)`)
  }
  if (options.node) checkNode(options, options.node)
  if (tls?.requestCert && !tls.ca?.length)
    throw invalid('tls.requestCert needs tls.ca: who signs the certificates of clients')
  if (tls?.crl && !tls.ca?.length) throw invalid('tls.crl needs tls.ca: who revokes')
  if (websocket?.path !== undefined && !/^(\/|\*$)/.test(websocket.path)) {
    throw invalid(`websocket.path is ${websocket.path}; it begins with /, or is *`)
  }
  if (proxyProtocol && path !== undefined)
    throw invalid('proxyProtocol is not for a Unix socket: its peers have no address')
}

function checkNode(options: ListenOptions, { names }: NodeOptions): void {
  const { tls, host = '127.0.0.1', path, fd, websocket, proxyProtocol, name } = options
  const other = Object.entries({ websocket, proxyProtocol, name }).find(([, value]) => value !== undefined)
  if (other) throw invalid(`${other[0]} is not for a node listener: nodes say what their clients came to`)
  if (tls?.requestCert === false) throw invalid('tls.requestCert is false; nodes have to show a certificate')
  if (tls && !tls.ca?.length) throw invalid('a node listener needs tls.ca: who signs the certificates of nodes')
  if (tls && names.length === 0) throw invalid('node.names is empty; it takes the names in the certificates of nodes')
  checkNodeNames(names, 'node.names')
  if (tls || path !== undefined || (fd === undefined && isLoopback(host))) return
  throw invalid(`a node listener that other machines reach (${host}) needs tls with cert, key and ca`)
}

const invalid = (message: string): BrokerError => new BrokerError('invalid-option', message)
