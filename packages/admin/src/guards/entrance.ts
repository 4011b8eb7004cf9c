import { type Clock, TokenBucket } from '@godwit/broker'
import type { Logins } from '../logins.js'
import { Problem } from '../problem.js'
import { leastRole, mayAs, type OperationId, type Role } from '../roles.js'
import type { Credential, Tokens } from '../tokens.js'
import { cookieOf } from './cookie.js'
import type { Origins } from './origins.js'

/** Requests a second of one token, and of those from one address who show none; so many in a burst. */
const perSecond = 50
const burst = 200
/** Credentials whose pace is remembered: with a thousand logins there is room for all. */
const mostPaces = 2_000

interface EntranceParts {
  readonly tokens: Tokens
  readonly logins: Logins
  readonly origins: Origins
  readonly clock: Clock
}

/** Lets in who may call an operation. */
export class Entrance {
  readonly #parts: EntranceParts
  readonly #paces = new Map<string, TokenBucket>()

  constructor(parts: EntranceParts) {
    this.#parts = parts
  }

  /**
   * @param changes whether the operation changes something, or stays open. @param address where it comes from.
   * @returns who it is; `undefined` where nobody needs to be.
   * @throws Problem
   */
  admit(request: Request, id: OperationId, changes: boolean, address = ''): Credential | undefined {
    const least = leastRole[id]
    if (least !== 'anyone') return this.admitAs(request, least, changes, address)
    this.#pace(`from ${address}`)
    this.#parts.origins.checkOrigin(request, false)
    return undefined
  }

  /**
   * Whoever has a role at least.
   * @throws Problem
   */
  admitAs(request: Request, least: Role, changes: boolean, address = ''): Credential {
    const { origins } = this.#parts
    const { credential, byCookie } = this.#find(request)
    if (!credential) {
      this.#pace(`from ${address}`)
      throw new Problem(
        'unauthenticated',
        'a token is needed: Authorization: Bearer TOKEN; godwit token create makes one',
        {
          headers: { 'www-authenticate': 'Bearer' },
        },
      )
    }
    this.#pace(credential.id)
    origins.checkOrigin(request, byCookie && changes)
    if (mayAs(credential.role, least)) return credential
    throw new Problem('forbidden', `this needs the role ${least}; ${credential.name} is ${credential.role}`)
  }

  #find(request: Request): { readonly credential: Credential | undefined; readonly byCookie: boolean } {
    const { tokens, logins } = this.#parts
    const authorization = request.headers.get('authorization')
    if (authorization !== null) {
      const [, token] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization) ?? []
      return { credential: token === undefined ? undefined : tokens.find(token), byCookie: false }
    }
    const cookie = cookieOf(request)
    return { credential: cookie === undefined ? undefined : logins.find(cookie), byCookie: true }
  }

  /** @throws Problem `too-many-requests` */
  #pace(id: string): void {
    const now = this.#parts.clock.monotonic()
    let pace = this.#paces.get(id)
    if (!pace) {
      if (this.#paces.size >= mostPaces) this.#paces.clear()
      pace = new TokenBucket({ perSecond, most: burst }, now)
      this.#paces.set(id, pace)
    }
    if (pace.take(now)) return
    throw new Problem('too-many-requests', `more than ${perSecond} requests a second`, {
      headers: { 'retry-after': '1' },
    })
  }
}
