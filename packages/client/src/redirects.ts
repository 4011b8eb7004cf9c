import { parseServerUrl, type ServerAddress } from './server-address.js'

/** Redirects followed one after another, before there is a wait. */
const mostHops = 5

/** The server that another one sent this client to (section 4.11). */
export class Redirects {
  #target: ServerAddress | undefined
  #hops = 0

  /** Undefined: the given servers are tried. */
  get target(): ServerAddress | undefined {
    return this.#target
  }

  /** False: there is no usable reference, or there were too many. */
  follow(from: ServerAddress, reference: string | undefined): boolean {
    const target = reference === undefined ? undefined : referredServer(from, reference)
    if (target === undefined || this.#hops === mostHops) {
      this.#hops = 0
      return false
    }
    this.#hops += 1
    this.#target = target
    return true
  }

  /** A connection lasted. */
  settled(): void {
    this.#hops = 0
  }

  /** Back to the given servers. */
  leave(): void {
    this.#target = undefined
  }
}

/** The first of the servers in a Server Reference; undefined when it cannot be read. */
export function referredServer(from: ServerAddress, reference: string): ServerAddress | undefined {
  const [first = ''] = reference.trim().split(/\s+/)
  const isUrl = first.includes('://')
  const scheme = from.url.slice(0, from.url.indexOf('://'))
  // An IPv6 address has colons of its own and no brackets when it comes without a port.
  const isBareIpv6 = !first.startsWith('[') && first.split(':').length > 2
  try {
    const to = parseServerUrl(isUrl ? first : `${scheme}://${isBareIpv6 ? `[${first}]` : first}`)
    if (isEncrypted(from) && !isEncrypted(to)) return undefined // what was to be secret is not sent in the clear
    return { ...to, credentials: { ...from.credentials, ...to.credentials } }
  } catch {
    return undefined
  }
}

function isEncrypted({ transport }: ServerAddress): boolean {
  return transport === 'tls' || transport === 'wss'
}
