import type { TLSSocket } from 'node:tls'

/** What Node says of a client's certificate that does not pass. */
export const ofCertificate = {
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
export const isEnd = (error: Error): boolean => (error as NodeJS.ErrnoException).code === 'ECONNRESET'

/** Why a TLS handshake came to nothing, in words of a limited number: what OpenSSL says without its codes and files. */
export function tlsRefusal(error: Error, { authorizationError }: Partial<TLSSocket> = {}): string {
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
