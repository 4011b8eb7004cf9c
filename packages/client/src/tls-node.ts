import { isIP, type Socket } from 'node:net'
import { connect, createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import { CertificateError, invalidOption } from './errors.js'
import type { ServerAddress } from './server-address.js'
import type { Pem, TlsOptions } from './tls-options.js'

/** Connects to servers over TLS, on these terms, on a socket of its own unless it is given one. Throws InvalidArgumentError for certificates and keys of no use. */
export function tlsDialer(tls: TlsOptions): (server: ServerAddress, below?: Socket) => TLSSocket {
  const { alpn = [], rejectUnauthorized = true, checkServername = true } = tls
  // Once: reading the authorities anew for each connection would take milliseconds.
  const secureContext = Object.keys(tls).length > 0 ? contextOf(tls) : undefined
  const protocols = typeof alpn === 'string' ? [alpn] : [...alpn]
  return ({ host, port }, below) => {
    const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
    const socket = connect({
      ...(below ? { socket: below } : { host, port }),
      rejectUnauthorized,
      ...(secureContext && { secureContext }),
      ...(servername !== undefined && { servername }),
      ...(protocols.length > 0 && { ALPNProtocols: protocols }),
      ...(!checkServername && { checkServerIdentity: () => undefined }),
    })
    return socket.setNoDelay(true)
  }
}

/** What has gone wrong with a socket, in terms of the certificates where it was they. */
export function tlsFailure({ url }: ServerAddress, socket: Socket, error: Error | undefined): Error | undefined {
  if (error === undefined || !(socket instanceof TLSSocket)) return error
  const { code = '', reason = error.message } = error as Error & { code?: string; reason?: string }
  // Set to the error's code when Node has refused the server's certificate.
  if (code !== '' && (socket.authorizationError as unknown) === code) {
    const why = reason.replace(/; if the root CA is .*$/s, '') // advice of Node 24 about a flag of its own
    return certificateError(codes[code] ?? 'certificate-untrusted', url, why, error)
  }
  if (/_ALERT_(\w*CERTIFICATE\w*|UNKNOWN_CA)$/.test(code)) {
    return certificateError('certificate-refused', url, reason.replace(/^.*alert /, ''), error)
  }
  // Neither set: the handshake is not over.
  if (code === 'ECONNRESET' && !socket.authorized && !socket.authorizationError) {
    return new Error('the server closed the connection in the TLS handshake; it may not speak TLS at this port', {
      cause: error,
    })
  }
  if (/wrong.version.number|packet length too long/i.test(`${code} ${error.message}`)) {
    return Object.assign(new Error('the server does not speak TLS at this port', { cause: error }), { code })
  }
  return error
}

const codes: Readonly<Record<string, CertificateError['code']>> = {
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-wrong-name',
}

function certificateError(code: CertificateError['code'], url: string, detail: string, cause: Error): CertificateError {
  const { problem, advice } = failedChecks[code]
  return new CertificateError(code, url, `${problem} (${detail})`, advice, cause)
}

const failedChecks: Readonly<Record<CertificateError['code'], { readonly problem: string; readonly advice: string }>> =
  {
    'certificate-untrusted': {
      problem: "the server's certificate is not trusted",
      advice: "give that of the authority which signed it in 'tls.ca'",
    },
    'certificate-expired': {
      problem: "the server's certificate is no longer valid",
      advice: 'the server needs a new one, if the clock of this machine is right',
    },
    'certificate-not-yet-valid': {
      problem: "the server's certificate is not valid yet",
      advice: 'check the clock of this machine',
    },
    'certificate-wrong-name': {
      problem: "the server's certificate is for another name",
      advice: "connect by a name that it has, or give that in 'tls.servername'",
    },
    'certificate-refused': {
      problem: 'the server does not accept the certificate of this client',
      advice: "give one that it knows in 'tls.cert', and its key in 'tls.key'",
    },
  }

function contextOf({ ca, cert, key, passphrase, minVersion }: TlsOptions): SecureContext {
  const authorities = ca === undefined ? undefined : typeof ca === 'string' || ca instanceof Uint8Array ? [ca] : [...ca]
  // Node takes no offence at these, and then trusts nobody.
  if (authorities?.some((pem) => !/-----BEGIN [\w ]*CERTIFICATE-----/.test(textOf(pem)))) {
    throw invalidOption("'tls.ca' has no certificate in PEM form")
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidOption("'tls.cert' and 'tls.key' belong together: give both, or neither")
  }
  try {
    return createSecureContext({
      ...(authorities && { ca: authorities.map(textOf) }),
      ...(cert !== undefined && { cert: textOf(cert) }),
      ...(key !== undefined && { key: textOf(key) }),
      ...(passphrase !== undefined && { passphrase }),
      ...(minVersion !== undefined && { minVersion }),
    })
  } catch (error) {
    throw invalidOption(problemOf(error as Error & { code?: string; reason?: string }, cert, key))
  }
}

function problemOf(error: Error & { code?: string; reason?: string }, cert: Pem | undefined, key: Pem | undefined) {
  const { code = '', reason = error.message } = error
  if (/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test(code)) return "'tls.key' is not the key of 'tls.cert'"
  if (cert !== undefined && !textOf(cert).includes('-----BEGIN')) return "'tls.cert' has no certificate in PEM form"
  if (key !== undefined && !textOf(key).includes('-----BEGIN')) return "'tls.key' has no key in PEM form"
  if (/ENCRYPTED/.test(key === undefined ? '' : textOf(key))) return "'tls.passphrase' does not open 'tls.key'"
  return `'tls' is of no use: ${reason}`
}

function textOf(pem: Pem): string {
  return typeof pem === 'string' ? pem : new TextDecoder().decode(pem)
}
