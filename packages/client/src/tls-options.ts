/** Certificates or keys in PEM form: the text, or a file's bytes. */
export type Pem = string | Uint8Array

/** For `mqtts:` and `wss:` in Node. A browser decides all of this by itself, and takes none of it. */
export interface TlsOptions {
  /** The authorities that may have signed the server's certificate. Default: those that Node trusts. */
  readonly ca?: Pem | readonly Pem[]
  /** The certificate of this client, with those between it and its authority. Needs `key`. Default: none. */
  readonly cert?: Pem
  /** The private key of `cert`. */
  readonly key?: Pem
  /** What `key` is encrypted with. Default: it is not. */
  readonly passphrase?: string
  /** Protocols to offer (ALPN), the preferred one first; some servers want `mqtt`. Default: none. */
  readonly alpn?: string | readonly string[]
  /** The name that is asked for (SNI) and that the certificate must have. Default: the host of the URL. */
  readonly servername?: string
  /**
   * False: any certificate is taken, so nobody knows who the server is, or who listens in between. For a server that
   * signed its own, give that certificate in `ca` instead. Default true.
   */
  readonly rejectUnauthorized?: boolean
  /** False: the certificate may be for another name; all other checks are made. Default true. */
  readonly checkServername?: boolean
  /** The oldest version to speak. Default TLSv1.2. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}
