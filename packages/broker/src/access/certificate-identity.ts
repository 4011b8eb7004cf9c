import type { ClientCertificate } from '../client-certificate.js'
import { checkNames, type NamesOf } from '../option-names.js'
import type { Authenticator } from './identity.js'

export interface CertificateIdentityOptions {
  /** Where the user name stands: the subject's Common Name, or the first Subject Alternative Name of that kind. Default `cn`. */
  readonly from?: 'cn' | 'san-dns' | 'san-email'
}

const names: NamesOf<CertificateIdentityOptions> = { from: true }

/**
 * The client's certificate, which the transport has verified, says who it is, whatever its CONNECT says. A client
 * without a certificate is not its business; one whose certificate has no such name is refused.
 */
export function certificateIdentity(options: CertificateIdentityOptions = {}): Authenticator {
  checkNames(options, names, 'certificateIdentity')
  const { from = 'cn' } = options
  return {
    name: 'client certificate',
    check({ certificate }) {
      if (!certificate) return 'not mine'
      const username = from === 'cn' ? certificate.commonName : altName(certificate, prefixes[from])
      return username ? { username } : 'deny'
    },
  }
}

const prefixes = { 'san-dns': 'dns:', 'san-email': 'email:' } as const

function altName({ altNames }: ClientCertificate, prefix: string): string | undefined {
  return altNames.find((name) => name.toLowerCase().startsWith(prefix))?.slice(prefix.length)
}
