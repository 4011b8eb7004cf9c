import type { Authentication, AuthenticationData } from './enhanced-auth.js'

const utf8 = new TextEncoder()
const text = new TextDecoder()
/** What the client sends says that it knows no channel binding: 'n,,' in base64. */
const channelBinding = 'biws'
/** Fewer make the password easy to guess for whoever overhears (RFC 7677, section 4). */
const fewestIterations = 4096
/** A server must not be able to keep this client busy for ever. */
const mostIterations = 10_000_000

/**
 * The Authentication Method `SCRAM-SHA-256` (RFC 5802, RFC 7677), without channel binding: the password never goes over
 * the wire, and the server proves that it knows it too. Runs wherever Web Crypto does; browsers have it in secure
 * contexts only.
 */
export function scramSha256(username: string, password: string): Authentication {
  let exchange: ScramExchange
  return {
    method: 'SCRAM-SHA-256',
    start() {
      exchange = new ScramExchange(username, password)
      return utf8.encode(exchange.first)
    },
    continue: (data) => exchange.answer(data),
    success: (data) => exchange.check(data),
  }
}

class ScramExchange {
  readonly #password: string
  readonly #nonce: string
  readonly #bare: string
  #serverSignature = ''

  constructor(username: string, password: string) {
    this.#password = password
    this.#nonce = toBase64(crypto.getRandomValues(new Uint8Array(18)))
    this.#bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`
  }

  /** `n,,n=user,r=nonce` */
  get first(): string {
    return `n,,${this.#bare}`
  }

  /** `r=nonce+theirs,s=salt,i=iterations` → `c=binding,r=nonce+theirs,p=proof` */
  async answer(data: AuthenticationData): Promise<Uint8Array> {
    const challenge = text.decode(data)
    const [, nonce = '', salt = '', rounds] = /^r=([^,]+),s=([^,]+),i=(\d+)(?:,.*)?$/.exec(challenge) ?? []
    const iterations = Number(rounds)
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce) throw new Error('the server gave no nonce of its own')
    if (!(iterations >= fewestIterations && iterations <= mostIterations)) {
      throw new Error(`the server asks for ${rounds} iterations, not ${fewestIterations} to ${mostIterations}`)
    }
    const salted = await saltedPassword(this.#password, fromBase64(salt), iterations)
    const withoutProof = `c=${channelBinding},r=${nonce}`
    const said = `${this.#bare},${challenge},${withoutProof}`
    const clientKey = await hmac(salted, 'Client Key')
    const signature = await hmac(new Uint8Array(await crypto.subtle.digest('SHA-256', clientKey)), said)
    this.#serverSignature = toBase64(await hmac(await hmac(salted, 'Server Key'), said))
    return utf8.encode(`${withoutProof},p=${toBase64(clientKey.map((byte, at) => byte ^ signature[at]!))}`)
  }

  /** `v=signature`: the server knows the password. */
  check(data: AuthenticationData): void {
    if (this.#serverSignature === '' || text.decode(data) !== `v=${this.#serverSignature}`) {
      throw new Error('the server did not prove that it knows the password')
    }
  }
}

async function saltedPassword(password: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', utf8.encode(password.normalize('NFKC')), 'PBKDF2', false, [
    'deriveBits',
  ])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256))
}

type Bytes = Uint8Array<ArrayBuffer>

async function hmac(key: Bytes, message: string): Promise<Bytes> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8.encode(message)))
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

function fromBase64(encoded: string): Bytes {
  return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
}
