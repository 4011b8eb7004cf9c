import type { ClientCertificate } from '../client-certificate.js'
import { BrokerError } from '../errors.js'

/**
 * Whose certificate is that of a node of a cluster: one of these names is its Common Name, or a DNS name among its Subject
 * Alternative Names; case does not count. One with a wildcard is nobody's in particular, and so no node's.
 */
export class NodeNames {
  readonly #names: ReadonlySet<string>

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  has({ commonName, altNames }: Pick<ClientCertificate, 'commonName' | 'altNames'>): boolean {
    return [...(commonName === undefined ? [] : [`DNS:${commonName}`]), ...altNames].some(
      (name) => name.startsWith('DNS:') && this.#names.has(name.slice(4).toLowerCase()),
    )
  }
}

/** @throws BrokerError `invalid-option`. @param where what option they are. */
export function checkNodeNames(names: readonly string[], where: string): void {
  const wrong = names.find((name) => name === '' || name.includes('*'))
  if (wrong === undefined) return
  throw new BrokerError(
    'invalid-option',
    `${where} has ${JSON.stringify(wrong)}; it takes whole names of nodes, as b.plant`,
  )
}
