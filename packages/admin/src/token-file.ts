import { readFileSync, statSync } from 'node:fs'
import { type Clock, type Logger, systemClock } from '@godwit/broker'
import { z } from 'zod'
import { type Role, roles } from './roles.js'
import { type Credential, hashOfToken, type Tokens } from './tokens.js'

/** A token as its file has it: of the token itself, the hash alone. */
export interface StoredToken {
  readonly name: string
  readonly role: Role
  /** SHA-256 of the token, in hex. */
  readonly sha256: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601; null: never. */
  readonly expiresAt: string | null
}

const stored = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,99}$/u, 'a name has up to 100 letters, digits, spaces and . _ @ -'),
  role: z.enum(roles as [Role, ...Role[]]),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})
const file = z.strictObject({ tokens: z.array(stored).max(10_000) })

/**
 * The tokens that a file holds.
 * @throws Error in words for people, without a value of the file.
 */
export function parseTokens(text: string): readonly StoredToken[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('it is no JSON')
  }
  const parsed = file.safeParse(value)
  if (parsed.success) return parsed.data.tokens
  const [issue] = parsed.error.issues
  throw new Error(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`)
}

export function formatTokens(tokens: readonly StoredToken[]): string {
  return `${JSON.stringify({ tokens }, undefined, 2)}\n`
}

/** How long what was seen of the file holds. */
const lookMs = 200

interface Known extends Credential {
  readonly expiresAt: number | undefined
}

/**
 * The tokens of a file that `godwit token` writes. It is looked at anew when somebody asks, so that a token that was revoked is not
 * good any more within a second. Without a file there are no tokens; one that is broken leaves what was read before in force.
 */
export class TokenFile implements Tokens {
  readonly #path: string
  readonly #log: Logger
  readonly #clock: Clock
  #known: ReadonlyMap<string, Known> = new Map()
  #seen = ''
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(path: string, log: Logger = { log() {} }, clock: Clock = systemClock) {
    this.#path = path
    this.#log = log
    this.#clock = clock
  }

  find(token: string): Credential | undefined {
    return this.#good(hashOfToken(token))
  }

  isGood(id: string): boolean {
    return this.#good(id) !== undefined
  }

  #good(hash: string): Known | undefined {
    this.#look()
    const known = this.#known.get(hash)
    return known && (known.expiresAt ?? Number.POSITIVE_INFINITY) > this.#clock.now() ? known : undefined
  }

  #look(): void {
    const now = this.#clock.monotonic()
    if (now - this.#lookedAt < lookMs) return
    this.#lookedAt = now
    const seen = this.#state()
    if (seen === this.#seen) return
    this.#seen = seen
    try {
      const tokens = seen === '' ? [] : parseTokens(readFileSync(this.#path, 'utf8'))
      this.#known = new Map(tokens.map((token) => [token.sha256, knownOf(token)]))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#log.log('error', `cannot read the tokens of ${this.#path}: ${why}; what was read before stays in force`)
    }
  }

  /** What of the file changes with it; empty: there is none. */
  #state(): string {
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true })
      return `${ino} ${size} ${mtimeNs}`
    } catch {
      return ''
    }
  }
}

function knownOf({ name, role, sha256, expiresAt }: StoredToken): Known {
  return { id: sha256, name, role, expiresAt: expiresAt === null ? undefined : Date.parse(expiresAt) }
}
