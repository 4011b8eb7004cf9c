import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../client-certificate.js'
import { BrokerError } from '../errors.js'
import type { Logger } from '../log.js'
import type { Metrics } from '../metrics.js'
import type { Handshakes } from './handshakes.js'
import type { TlsOptions } from './listen-options.js'
import { expiryOf, TlsExpiry } from './tls-expiry.js'
import { readTlsFiles, watchTlsFiles } from './tls-files.js'
import type { Peer } from './transport.js'

interface TlsParts {
  readonly metrics: Metrics
  readonly log: Logger
  readonly handshakes: Handshakes
  /** What comes after the TLS handshake. */
  readonly next: (stream: Duplex, socket: Socket, peer: Peer) => void
}

/** The TLS step of a listener: its server never listens, it is given sockets. */
export class TlsDoor {
  readonly #options: TlsOptions
  readonly #parts: TlsParts
  readonly #server: Server
  readonly #expiry: TlsExpiry
  readonly #unwatch: () => void
  /** The sockets in their TLS handshake. */
  readonly #peers = new WeakMap<Socket, Peer>()
  #reloading: Promise<void> = Promise.resolve()

  /** @throws BrokerError `invalid-option`, for files that cannot be used. */
  static async open(options: TlsOptions, parts: TlsParts): Promise<TlsDoor> {
    return new TlsDoor(options, parts, await readTls(options))
  }

  private constructor(options: TlsOptions, parts: TlsParts, context: SecureContextOptions) {
    const { requestCert = false, alpn } = options
    this.#options = options
    this.#parts = parts
    this.#server = createServer(
      { ...context, requestCert, rejectUnauthorized: requestCert, ...(alpn && { ALPNProtocols: [...alpn] }) },
      (stream) => this.#secured(stream),
    )
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, stream) => {
      parts.handshakes.tell(rawOf(stream), 'tls', error.message.split('\n', 1)[0] ?? '')
    })
    this.#expiry = new TlsExpiry(parts.metrics, parts.log)
    this.#expiry.set(expiryOf(String(context.cert)))
    this.#unwatch = watchTlsFiles(options, () => void this.reload().catch(() => {})) // told already
  }

  readonly enter = (_stream: Duplex, socket: Socket, peer: Peer): void => {
    this.#peers.set(socket, peer)
    this.#server.emit('connection', socket)
  }

  /** Connections that are there stay as they are. Rejects, and keeps what it has, when the files are broken. */
  reload(): Promise<void> {
    const { log } = this.#parts
    const next = this.#reloading.then(async () => {
      try {
        const context = await readTls(this.#options)
        this.#server.setSecureContext(context)
        this.#expiry.set(expiryOf(String(context.cert)))
        log.log('info', 'read the TLS certificates again')
      } catch (error) {
        log.log('error', `${(error as Error).message}; what was read before stays in force`)
        throw error
      }
    })
    this.#reloading = next.catch(() => {})
    return next
  }

  close(): void {
    this.#unwatch()
    this.#expiry.close()
  }

  #secured(stream: TLSSocket): void {
    const socket = rawOf(stream)
    const peer = this.#peers.get(socket)
    if (!peer) return void stream.destroy()
    const certificate = certificateOf(stream)
    this.#parts.next(stream, socket, { ...peer, transport: 'tls', ...(certificate && { certificate }) })
  }
}

/**
 * The socket under a TLS socket. Node tells by no other way for which of the sockets it was given a handshake is done.
 */
function rawOf(stream: TLSSocket): Socket {
  return (stream as unknown as { readonly _parent: Socket })._parent
}

/** Reads the files, and tries whether they belong together. */
async function readTls(options: TlsOptions): Promise<SecureContextOptions> {
  const context = await readTlsFiles(options)
  try {
    createSecureContext(context)
    expiryOf(String(context.cert))
    return context
  } catch (error) {
    const why = (error as Error).message
    throw new BrokerError('invalid-option', `tls: certificate, key, CA and CRL cannot be used together: ${why}`, {
      cause: error,
    })
  }
}

/** The client's, if it was asked for one. */
function certificateOf(stream: TLSSocket): ClientCertificate | undefined {
  const certificate = stream.authorized ? stream.getPeerX509Certificate() : undefined
  if (!certificate) return undefined
  const { subject, subjectAltName = '', fingerprint256 } = certificate
  const names = certificate.toLegacyObject().subject.CN as string | string[] | undefined
  return {
    subject: subject.split('\n').join(', '),
    commonName: typeof names === 'string' ? names : undefined,
    altNames: altNamesOf(subjectAltName),
    fingerprint: fingerprint256,
  }
}

/** `DNS:a.example, email:"x, DNS:b.example"`: what could be mistaken for more than one name is in quotes, as JSON. */
export function altNamesOf(text: string): string[] {
  return (text.match(/(?:[^,"]|"(?:\\.|[^"\\])*")+/g) ?? []).map((part) => {
    const [, kind = '', name = ''] = /^\s*([^:]*):(.*)$/s.exec(part) ?? []
    return `${kind}:${name.startsWith('"') ? (JSON.parse(name) as string) : name}`
  })
}
