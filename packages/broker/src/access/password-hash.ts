import { createHash, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** A hash of a password as a line of a password file has it. */
export interface PasswordHash {
  /** What it is made with, cost included: two of one kind take the same time. */
  readonly kind: string
  /** Whether the password is the one it was made of; works off the main thread, but for `$6$`, which is cheap. */
  matches(password: Uint8Array): Promise<boolean>
}

/** Why a hash cannot be used, as words that go behind the name of the line. */
export class PasswordHashError extends Error {
  override readonly name = 'PasswordHashError'
}

/** The cost of new hashes: N = 2^15, r = 8, p = 1: 32 MiB, and about 80 ms of one core. */
const newCost = { ln: 15, r: 8, p: 1 }
const hashBytes = 32
/** A line that asks for more would make each CONNECT a burden: 2^20 with r = 8 is 1 GiB. */
const mostMemory = 2 ** 28

type Options = { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number }
const scryptAsync = promisify<Uint8Array, Uint8Array, number, Options, Buffer>(scrypt)
const pbkdf2Async = promisify(pbkdf2)

/** Makes the hash of a new password: scrypt (RFC 7914) in the PHC string format, `$scrypt$ln=15,r=8,p=1$salt$hash`. */
export async function hashPassword(password: Uint8Array, cost: ScryptCost = newCost): Promise<string> {
  const salt = randomBytes(16)
  const hash = await scryptAsync(password, salt, hashBytes, optionsOf(cost))
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${unpadded(salt)}$${unpadded(hash)}`
}

/** N = 2^ln, block size r, parallelization p. */
export interface ScryptCost {
  readonly ln: number
  readonly r: number
  readonly p: number
}

function optionsOf({ ln, r, p }: ScryptCost): Options {
  const N = 2 ** ln
  return { N, r, p, maxmem: 128 * N * r + 128 * r * p + 2 ** 20 }
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '')

/**
 * Reads a hash: ours (`$scrypt$`), and mosquitto's (`$6$`, `$7$`, `$argon2id$`).
 * @throws PasswordHashError
 */
export async function parsePasswordHash(text: string): Promise<PasswordHash> {
  const [, scheme = '', ...parts] = text.split('$')
  if (!text.startsWith('$')) throw new PasswordHashError(plainText)
  switch (scheme) {
    case 'scrypt':
      return scryptHash(parts)
    case '6':
      return sha512Hash(parts)
    case '7':
      return pbkdf2Hash(parts)
    case 'argon2id':
      return argon2Hash(text)
    default:
      throw new PasswordHashError(`there is no hash '$${scheme}$' here; make the line again with godwit passwd`)
  }
}

const plainText = 'the password is not hashed; make the line again with godwit passwd'
const damaged = new PasswordHashError('the hash is damaged; make the line again with godwit passwd')

function scryptHash([parameters = '', salt = '', hash = '', ...more]: readonly string[]): PasswordHash {
  const [, ln, r, p] = /^ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})$/.exec(parameters)?.map(Number) ?? []
  const wanted = bytesOf(hash)
  if (!ln || !r || !p || more.length > 0 || wanted.length < 16) throw damaged
  if (128 * 2 ** ln * r > mostMemory || p > 16) {
    throw new PasswordHashError(`${parameters} costs more than a broker can pay for each client; lower it`)
  }
  const options = optionsOf({ ln, r, p })
  return {
    kind: `scrypt ${parameters}`,
    matches: async (password) => equal(await scryptAsync(password, bytesOf(salt), wanted.length, options), wanted),
  }
}

/** mosquitto up to 1.6: one round of SHA-512 over password and salt. */
function sha512Hash([salt = '', hash = '', ...more]: readonly string[]): PasswordHash {
  const wanted = bytesOf(hash)
  const saltBytes = bytesOf(salt)
  if (wanted.length !== 64 || more.length > 0) throw damaged
  return {
    kind: 'sha512',
    matches: async (password) => equal(createHash('sha512').update(password).update(saltBytes).digest(), wanted),
  }
}

/** mosquitto from 2.0 on: PBKDF2 with HMAC-SHA-512. */
function pbkdf2Hash([rounds = '', salt = '', hash = '', ...more]: readonly string[]): PasswordHash {
  const iterations = /^\d{1,7}$/.test(rounds) ? Number(rounds) : 0
  const wanted = bytesOf(hash)
  if (iterations < 1 || wanted.length !== 64 || more.length > 0) throw damaged
  return {
    kind: `pbkdf2-sha512 ${iterations}`,
    matches: async (password) => equal(await pbkdf2Async(password, bytesOf(salt), iterations, 64, 'sha512'), wanted),
  }
}

/** The part of `@node-rs/argon2` that is used: it is no dependency, whoever has such lines installs it. */
interface Argon2 {
  verify(hash: string, password: Uint8Array): Promise<boolean>
}

async function argon2Hash(text: string): Promise<PasswordHash> {
  const parameters = /^\$argon2id\$v=19\$(m=\d{1,7},t=\d{1,3},p=\d{1,2})\$[\w+/]+={0,2}\$[\w+/]+={0,2}$/.exec(text)?.[1]
  if (parameters === undefined) throw damaged
  const name: string = '@node-rs/argon2' // not a literal in the import, or the compiler would look for it
  const argon2: Argon2 = await import(name).catch(() => {
    throw new PasswordHashError(`argon2id needs the package ${name}; npm install ${name}`)
  })
  const phc = text.replaceAll('=$', '$').replaceAll('=$', '$').replace(/=+$/, '') // mosquitto pads, the format does not
  return { kind: `argon2id ${parameters}`, matches: (password) => argon2.verify(phc, password) }
}

function bytesOf(base64: string): Buffer {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw damaged
  return Buffer.from(base64, 'base64')
}

const equal = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)
