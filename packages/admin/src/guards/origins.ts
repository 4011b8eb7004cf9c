import { Problem } from '../problem.js'

/** What may be a name of this server, and which pages are its own. */
export class Origins {
  readonly #publicUrl: URL | undefined
  readonly #hosts: ReadonlySet<string>

  constructor({ publicUrl, hosts = [] }: { publicUrl?: string | undefined; hosts?: readonly string[] | undefined }) {
    this.#publicUrl = publicUrl === undefined ? undefined : new URL(publicUrl)
    this.#hosts = new Set(
      [...hosts, ...(this.#publicUrl ? [this.#publicUrl.host] : [])].map((host) => host.toLowerCase()),
    )
  }

  /** Whether browsers reach it over TLS. */
  isSecure(request: Request): boolean {
    return (this.#publicUrl?.protocol ?? new URL(request.url).protocol) === 'https:'
  }

  /**
   * A page whose name an attacker has pointed to this machine names itself in Host, not this server (DNS rebinding). Loopback may
   * have any port: one that was forwarded is another.
   * @throws Problem `foreign-host`
   */
  checkHost(request: Request): void {
    const host = hostOf(request)
    if (this.#hosts.has(host) || isLoopback(host)) return
    throw new Problem(
      'foreign-host',
      'the Host of this request is no name of this server; set http.publicUrl to the address that browsers use',
    )
  }

  /**
   * No page of another origin may ask, whoever its browser is logged in as.
   * @param wanted whether it must be said which page asks: of whatever a cookie lets change, or stay.
   * @throws Problem `foreign-origin`
   */
  checkOrigin(request: Request, wanted: boolean): void {
    const site = request.headers.get('sec-fetch-site')
    const origin = request.headers.get('origin')
    const isForeign =
      (site !== null && site !== 'same-origin' && site !== 'none') || (origin !== null && !this.#isOwn(origin, request))
    if (isForeign) throw new Problem('foreign-origin', 'a page of another origin may not ask this server')
    if (!wanted || origin !== null || site === 'same-origin') return
    throw new Problem(
      'foreign-origin',
      'a request with a cookie says by Origin or Sec-Fetch-Site: same-origin which page asks',
    )
  }

  #isOwn(origin: string, request: Request): boolean {
    if (this.#publicUrl && origin === this.#publicUrl.origin) return true
    return /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '').toLowerCase() === hostOf(request)
  }
}

function hostOf(request: Request): string {
  return (request.headers.get('host') ?? new URL(request.url).host).toLowerCase()
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/.test(host)
}
