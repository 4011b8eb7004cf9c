import './reflect.js'
import { webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000

/** A certificate and its key, as PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
  readonly serialNumber: string
}

export interface PairOptions {
  /** Days from now; negative: expired. Default 90. */
  readonly days?: number
  readonly email?: string
}

/** Has no more of its own than the options of a listener take. */
class Issued implements Pair {
  readonly cert: string
  readonly key: string

  constructor(cert: string, key: string) {
    this.cert = cert
    this.key = key
  }

  get serialNumber(): string {
    return new X509Certificate(this.cert).serialNumber.toLowerCase()
  }
}

/** A certificate authority of this test alone. */
export class Authority {
  readonly cert: string
  readonly #name: string
  readonly #keys: webcrypto.CryptoKeyPair
  #serial = 1

  static async create(name: string): Promise<Authority> {
    const keys = await newKeys()
    const cert = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - 365 * dayMs),
      notAfter: new Date(Date.now() + 365 * dayMs),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    return new Authority(name, keys, cert.toString('pem'))
  }

  private constructor(name: string, keys: webcrypto.CryptoKeyPair, cert: string) {
    this.#name = name
    this.#keys = keys
    this.cert = cert
  }

  async issue(commonName: string, { days = 90, email }: PairOptions = {}): Promise<Pair> {
    const keys = await newKeys()
    const serialNumber = (++this.#serial).toString(16).padStart(2, '0')
    const cert = await x509.X509CertificateGenerator.create({
      serialNumber,
      subject: `CN=${commonName}`,
      issuer: `CN=${this.#name}`,
      notBefore: new Date(Date.now() - 100 * dayMs),
      notAfter: new Date(Date.now() + days * dayMs),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: commonName },
          ...(email ? [{ type: 'email', value: email } as const] : []),
        ]),
      ],
    })
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
    return new Issued(cert.toString('pem'), key)
  }

  async revoke(...pairs: readonly Pair[]): Promise<string> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: `CN=${this.#name}`,
      thisUpdate: new Date(Date.now() - dayMs),
      nextUpdate: new Date(Date.now() + dayMs),
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      entries: pairs.map(({ serialNumber }) => ({ serialNumber, revocationDate: new Date() })),
    })
    return x509.PemConverter.encode(crl.rawData, 'X509 CRL')
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
}
