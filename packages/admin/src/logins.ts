import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '@godwit/broker'
import { cookieOf } from './guards/cookie.js'
import type { Role } from './roles.js'
import { type Credential, hashOfToken, type Tokens } from './tokens.js'

/** A login link is good for so long, and once. */
const linkMs: number = 5 * 60_000
/** A browser that came by a link is logged in for so long. */
const sessionMs = 12 * 60 * 60_000
const mostLinks = 16
const mostLogins = 1_000

interface Login {
  readonly credential: Credential
  /** On the monotonic clock: a wall clock that is stepped back makes nothing last longer. */
  readonly endsAt: number
}

/**
 * Browsers that are logged in, by their cookies, and links that wait to be used. All of it is in memory, and ends with the process:
 * where one API follows on another, as at a node of a cluster that takes over, it is handed on.
 */
export class Logins {
  readonly #tokens: Tokens
  readonly #clock: Clock
  /** By the hash of the cookie, the oldest first. */
  readonly #logins = new Map<string, Login>()
  /** By the hash of the code, the oldest first. */
  readonly #links = new Map<string, { readonly role: Role; readonly endsAt: number }>() // on the monotonic clock
  #linked = 0

  constructor(tokens: Tokens, clock: Clock = systemClock) {
    this.#tokens = tokens
    this.#clock = clock
  }

  /** The code of a link that logs in, once, within {@link linkMs}. The oldest of many that nobody has used is forgotten. */
  newCode(role: Role): string {
    const code = randomBytes(32).toString('base64url')
    this.#links.set(hashOfToken(code), { role, endsAt: this.#clock.monotonic() + linkMs })
    dropOldest(this.#links, mostLinks)
    return code
  }

  /** Whoever has the code of a link, which is used up by that. `undefined`: it is none, or its time is over. */
  useCode(code: string): Credential | undefined {
    const hash = hashOfToken(code)
    const link = this.#links.get(hash)
    this.#links.delete(hash)
    if (!link || link.endsAt <= this.#clock.monotonic()) return undefined
    this.#linked++
    const id = `link:${hash}`
    return { id, name: `login link ${this.#linked}`, role: link.role }
  }

  /** Logs a browser in; answers its cookie, and when it ends in epoch ms. */
  begin(credential: Credential): { readonly cookie: string; readonly endsAt: number } {
    const cookie = randomBytes(32).toString('base64url')
    const leftMs = (credential.expiresAt ?? Number.POSITIVE_INFINITY) - this.#clock.now()
    const lastsMs = Math.min(leftMs, sessionMs)
    this.#logins.set(hashOfToken(cookie), { credential, endsAt: this.#clock.monotonic() + lastsMs })
    dropOldest(this.#logins, mostLogins)
    return { cookie, endsAt: this.#clock.now() + lastsMs }
  }

  /** Whose cookie it is; it ends with its token. */
  find(cookie: string): Credential | undefined {
    const hash = hashOfToken(cookie)
    const login = this.#logins.get(hash)
    if (!login) return undefined
    if (login.endsAt > this.#clock.monotonic() && this.#isGoodToken(login.credential)) return login.credential
    this.#logins.delete(hash)
    return undefined
  }

  /** Logs out the browser that asks, if its cookie does. */
  endOf(request: Request): void {
    const cookie = cookieOf(request)
    if (cookie !== undefined) this.#logins.delete(hashOfToken(cookie))
  }

  /** Whether whoever has come in may stay: its token is good, or it came by a link and has not logged out. */
  isGood(credential: Credential): boolean {
    const { id, expiresAt = Number.POSITIVE_INFINITY } = credential
    if (expiresAt <= this.#clock.now()) return false
    if (!id.startsWith('link:')) return this.#tokens.isGood(id)
    const now = this.#clock.monotonic()
    for (const login of this.#logins.values()) if (login.credential.id === id && login.endsAt > now) return true
    return false
  }

  #isGoodToken({ id }: Credential): boolean {
    return id.startsWith('link:') || this.#tokens.isGood(id)
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
