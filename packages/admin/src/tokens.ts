import { createHash, randomBytes } from 'node:crypto'
import type { Role } from './roles.js'

/** Whoever may come in, as a token has shown it. */
export interface Credential {
  /** Of this token, for as long as it is known: cookies and streams end with it. */
  readonly id: string
  /** The name that the log tells. */
  readonly name: string
  readonly role: Role
  /** Epoch ms. Left out: never. */
  readonly expiresAt?: number | undefined
}

/** The tokens that are known: {@link tokenFile}, {@link fixedTokens}, or an embedder's own. */
export interface Tokens {
  /** Whose token it is. `undefined`: nobody's, or its time is over. Asked for every request, so it answers from memory. */
  find(token: string): Credential | undefined
  /** Whether a token that was found is still good. Asked once a second for each that has a cookie or a stream. */
  isGood(id: string): boolean
}

/** How a token begins, so that people and scanners of secrets know it. */
const tokenPrefix = 'godwit_'

/** A new token: 256 random bits. */
export function newToken(): string {
  return tokenPrefix + randomBytes(32).toString('base64url')
}

/** What is kept of a token: its SHA-256, in hex. A token has 256 random bits, so nothing slower is needed. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Tokens that never change: those of a test, or of a program that is given one. */
export function fixedTokens(
  tokens: readonly { readonly token: string; readonly name: string; readonly role: Role }[],
): Tokens {
  const known = new Map(
    tokens.map(({ token, name, role }) => [hashOfToken(token), { id: hashOfToken(token), name, role }]),
  )
  return { find: (token) => known.get(hashOfToken(token)), isGood: (id) => known.has(id) }
}
