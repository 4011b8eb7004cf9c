// The certificate that all brokers show that are compared over TLS.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * Makes one for 127.0.0.1, on the curve P-256 as most that are issued today, signed by itself.
 * @param {string} folder where its files go
 * @returns {import('./contestants.mjs').Certificate}
 */
export function newCertificate(folder) {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', cert], { stdio: 'pipe' })
  return { cert, key }
}
