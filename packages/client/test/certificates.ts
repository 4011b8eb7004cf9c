import './reflect.js'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of this test alone. */
export class Authority {
  readonly cert: string
  readonly #name: string
  readonly #keys: webcrypto.CryptoKeyPair

  static async create(name = 'authority'): Promise<Authority> {
    const keys = await newKeys()
    const cert = await x509.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      notBefore: daysFromNow(-30),
      notAfter: daysFromNow(30),
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
    })
    return new Authority(name, cert.toString('pem'), keys)
  }

  private constructor(name: string, cert: string, keys: webcrypto.CryptoKeyPair) {
    this.#name = name
    this.cert = cert
    this.#keys = keys
  }

  /** For one name, valid between these days from now. */
  async issue(name: string, from = -1, to = 1): Promise<Pair> {
    const keys = await newKeys()
    const cert = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: `CN=${this.#name}`,
      notBefore: daysFromNow(from),
      notAfter: daysFromNow(to),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    })
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
    return { cert: cert.toString('pem'), key }
  }
}

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * dayMs)
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}
