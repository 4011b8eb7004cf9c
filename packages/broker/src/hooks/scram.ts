import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { AuthenticationExchange, AuthenticationMethod, AuthenticationStep } from './extended-authentication.js'

/** What is kept of a password for SCRAM-SHA-256 (RFC 5802, section 3): enough to check it, not enough to be its owner. */
export interface ScramCredentials {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

const keyBytes = 32

/**
 * Works out what to keep of a password.
 * @param iterations at least 4,096; default 15,000.
 */
export function scramCredentials(
  password: string,
  iterations = 15_000,
  salt: Uint8Array = randomBytes(16),
): ScramCredentials {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, keyBytes, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/**
 * The Authentication Method `SCRAM-SHA-256` (RFC 7677), without channel binding. The password never goes over the wire,
 * and the server shows that it knows it too. An unknown user gets the same exchange, and the refusal at its end.
 */
export function scramSha256(
  lookUp: (username: string) => MaybeAsync<ScramCredentials | undefined>,
): AuthenticationMethod {
  const secret = randomBytes(keyBytes) // makes the salts of unknown users stable, as those of known ones are
  return () => new ScramExchange(lookUp, secret)
}

class ScramExchange implements AuthenticationExchange {
  readonly #lookUp: (username: string) => MaybeAsync<ScramCredentials | undefined>
  readonly #secret: Uint8Array
  #username = ''
  #credentials: ScramCredentials | undefined
  /** The messages so far, which both sides prove to have seen. */
  #soFar = ''
  #nonce = ''
  #header = ''

  constructor(lookUp: (username: string) => MaybeAsync<ScramCredentials | undefined>, secret: Uint8Array) {
    this.#lookUp = lookUp
    this.#secret = secret
  }

  next(data: Uint8Array | undefined): MaybeAsync<AuthenticationStep> {
    const text = data ? Buffer.from(data).toString('utf8') : ''
    return this.#nonce === '' ? this.#first(text) : this.#final(text)
  }

  /** `n,,n=user,r=nonce` → `r=nonce+ours,s=salt,i=iterations` */
  #first(text: string): MaybeAsync<AuthenticationStep> {
    const [, header, bare, username, clientNonce] =
      /^([ny],(?:a=[^,]*)?,)(n=([^,]+),r=([^,]+))(?:,.*)?$/.exec(text) ?? []
    if (header === undefined || bare === undefined || username === undefined || clientNonce === undefined)
      return refused
    this.#username = username.replaceAll('=2C', ',').replaceAll('=3D', '=')
    return whenReady(this.#lookUp(this.#username), (credentials) => {
      this.#credentials = credentials
      const salt = credentials?.salt ?? hmac(this.#secret, this.#username).subarray(0, 16)
      this.#header = header
      this.#nonce = clientNonce + randomBytes(18).toString('base64')
      const reply = `r=${this.#nonce},s=${Buffer.from(salt).toString('base64')},i=${credentials?.iterations ?? 15_000}`
      this.#soFar = `${bare},${reply}`
      return { outcome: 'continue', data: Buffer.from(reply) }
    })
  }

  /** `c=header,r=nonce,p=proof` → `v=signature` */
  #final(text: string): AuthenticationStep {
    const [, withoutProof, binding, nonce, proof] = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(text) ?? []
    if (withoutProof === undefined || binding === undefined || proof === undefined || !this.#credentials) return refused
    if (nonce !== this.#nonce || Buffer.from(binding, 'base64').toString() !== this.#header) return refused
    const { storedKey, serverKey } = this.#credentials
    const message = `${this.#soFar},${withoutProof}`
    const signature = hmac(storedKey, message)
    const given = Buffer.from(proof, 'base64')
    if (given.length !== keyBytes) return refused
    const clientKey = Buffer.from(given.map((byte, at) => byte ^ signature[at]!))
    if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey)) return refused
    const data = Buffer.from(`v=${hmac(serverKey, message).toString('base64')}`)
    return { outcome: 'admitted', data, username: this.#username }
  }
}

const refused: AuthenticationStep = { outcome: 'refused', admission: false }

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
