import { randomBytes, type X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { ClientCertificate } from '../client-certificate.js'
import type { Logger } from '../log.js'
import type { Metrics } from '../metrics.js'
import { WatchedFiles } from '../watched-files.js'
import type { Handshakes } from './handshakes.js'
import type { TlsOptions } from './listen-options.js'
import { expiryOf, TlsExpiry } from './tls-expiry.js'
import { isPem, readTls, tlsFilePaths } from './tls-files.js'
import type { Peer, TlsAgreement } from './transport.js'

interface TlsParts {
  readonly metrics: Metrics
  readonly log: Logger
  readonly handshakes: Handshakes
  /** What comes after the TLS handshake. */
  readonly next: (stream: Duplex, socket: Socket, peer: Peer) => void
}

/** The server as one connection has it: what Node tells the server of a connection, it tells to this. */
interface ServerOfOne extends Server {
  socket: Socket
  peer: Peer
}

/** How long tickets are made with one key. Who has one of an earlier key does the whole handshake. */
const ticketKeyMs = 43_200_000
const ticketKeyBytes = 48

/** The TLS step of a listener: its server never listens, it is given sockets. */
export class TlsStep {
  readonly #server: Server
  readonly #expiry: TlsExpiry
  readonly #newTicketKey: NodeJS.Timeout
  #context: SecureContextOptions | undefined
  #files: WatchedFiles | undefined

  /** @throws BrokerError `invalid-option`, for files that cannot be used. */
  static async open(options: TlsOptions, parts: TlsParts): Promise<TlsStep> {
    const step = new TlsStep(options, parts)
    const read = async (): Promise<void> => step.#use(await readTls(options))
    const name = 'the TLS certificates'
    try {
      step.#files = await WatchedFiles.open({ paths: tlsFilePaths(options), read, name, log: parts.log })
      return step
    } catch (error) {
      step.close()
      throw error
    }
  }

  private constructor({ cert, requestCert = false, alpn }: TlsOptions, { metrics, log, handshakes, next }: TlsParts) {
    this.#expiry = new TlsExpiry(metrics, log, isPem(cert) ? undefined : cert)
    this.#server = createServer({
      requestCert,
      rejectUnauthorized: requestCert,
      ...(alpn && { ALPNProtocols: [...alpn] }),
    })
    this.#server.on('secureConnection', function (this: Server, stream) {
      const { socket, peer } = this as ServerOfOne
      const shown = stream.authorized ? stream.getPeerX509Certificate() : undefined
      // OpenSSL looks at its time in a whole handshake alone.
      if (shown && stream.isSessionReused() && Date.parse(shown.validTo) < Date.now()) {
        return handshakes.refuse(socket, 'tls', ofCertificate.CERT_HAS_EXPIRED)
      }
      const certificate = shown && certificateOf(shown)
      stream.allowHalfOpen = true
      const tls = agreementOf(stream)
      next(stream, socket, { ...peer, transport: 'tls', tls, ...(certificate && { certificate }) })
    })
    this.#server.on('tlsClientError', function (this: Server, error: Error, stream: TLSSocket) {
      const { socket } = this as ServerOfOne
      if (isEnd(error)) handshakes.left(socket, 'tls', tlsRefusal(error, stream))
      else handshakes.tell(socket, 'tls', tlsRefusal(error, stream))
    })
    this.#newTicketKey = setInterval(() => this.#server.setTicketKeys(randomBytes(ticketKeyBytes)), ticketKeyMs).unref()
  }

  readonly enter = (_stream: Duplex, socket: Socket, peer: Peer): void => {
    const server = Object.assign(Object.create(this.#server) as ServerOfOne, { socket, peer })
    // Half-open begins with MQTT: whoever ends its side in the handshake has ended it, and must not hold its place.
    socket.allowHalfOpen = false
    server.emit('connection', socket)
    socket.allowHalfOpen = true
  }

  /** Connections that are there stay as they are. Rejects, and keeps what it has, when the files are broken. */
  async reload(): Promise<void> {
    await this.#files?.reload()
  }

  close(): void {
    this.#files?.close()
    this.#expiry.close()
    clearInterval(this.#newTicketKey)
  }

  /** What is new makes new ticket keys: who was let in by the CA, CRL or certificate before has to show itself again. */
  #use(context: SecureContextOptions): void {
    if (isDeepStrictEqual(context, this.#context)) return
    this.#context = context
    this.#server.setSecureContext(context)
    this.#expiry.set(expiryOf(String(context.cert)))
  }
}

/** One object for all that have agreed on the same: there are few. */
const agreements = new Map<string, TlsAgreement>()
/** More than OpenSSL has; what other nodes tell of is one of them too. */
const mostAgreements = 256

function agreementOf(stream: TLSSocket): TlsAgreement {
  return agreed(stream.getProtocol() ?? '', stream.getCipher().name)
}

export function agreed(protocol: string, cipher: string): TlsAgreement {
  const key = `${protocol} ${cipher}`
  const known = agreements.get(key) ?? { protocol, cipher }
  if (agreements.size < mostAgreements) agreements.set(key, known)
  return known
}

function certificateOf(certificate: X509Certificate): ClientCertificate {
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

/** What Node says of a client's certificate that does not pass. */
const ofCertificate = {
  CERT_REVOKED: "the client's certificate is revoked",
  CERT_HAS_EXPIRED: "the client's certificate has expired",
  CERT_NOT_YET_VALID: "the client's certificate is not valid yet",
  CRL_HAS_EXPIRED: 'the CRL of this listener is out of date; put a new one in its place',
  UNABLE_TO_GET_CRL: "the CRL of this listener is not of the authority that signed the client's certificate",
} as const

/** What OpenSSL calls it, and what it means to who runs the broker. */
const ofHandshake: readonly (readonly [RegExp, string])[] = [
  [/did not return a certificate/, 'the client showed no certificate'],
  [
    /alert (unknown ca|bad certificate|certificate (unknown|expired|revoked))/,
    'the client does not trust our certificate',
  ],
  [/http request|wrong version number|packet length too long|bad record type/, 'what came is no TLS'],
]

/** Whether the other side has ended the connection, in order or by a reset; Node says the same of both. */
const isEnd = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ECONNRESET'

/** Why a TLS handshake came to nothing, in words of a limited number: what OpenSSL says without its codes and files. */
function tlsRefusal(error: Error, { authorizationError }: Partial<TLSSocket> = {}): string {
  if (authorizationError) {
    const code = String(authorizationError) // Node's types call it an Error; it is a code
    return (
      (ofCertificate as Readonly<Record<string, string>>)[code] ?? `the client's certificate is not trusted (${code})`
    )
  }
  const { reason, message } = error as Error & { readonly reason?: string }
  if (isEnd(error)) return 'it was closed in the handshake'
  const said = reason ?? message.split('\n', 1)[0] ?? ''
  const [, meaning] = ofHandshake.find(([pattern]) => pattern.test(said)) ?? []
  return meaning === undefined ? said : `${meaning} (${said})`
}
