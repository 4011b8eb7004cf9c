/** A client's certificate, which the transport has verified. */
export interface ClientCertificate {
  /** The whole subject, `CN=meter-7, O=Example`. */
  readonly subject: string
  /** The subject's Common Name; `undefined` where there is none or more than one. */
  readonly commonName: string | undefined
  /** The Subject Alternative Names, each with its kind as Node writes it: `DNS:host.example`, `email:a@example.org`. */
  readonly altNames: readonly string[]
  /** SHA-256 of the certificate, in hex with colons. */
  readonly fingerprint: string
}
