import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { BrokerError } from '../errors.js'
import { type Logger, silentLogger } from '../log.js'
import { checkNames, type NamesOf } from '../option-names.js'
import { type Clock, systemClock } from '../time/clock.js'
import type { Authenticator, Verdict } from './identity.js'
import { serviceUrl } from './service-url.js'

/** Exactly one of `secret`, `publicKey` and `jwksUrl`. */
export interface JwtOptions {
  /** What tokens of HS256, HS384 and HS512 are signed with; at least 32 bytes. */
  readonly secret?: string | Uint8Array
  /** A public key or certificate, PEM. */
  readonly publicKey?: string
  /** Where the issuer shows its keys (RFC 7517). Fetched when it is needed first, and again for a key it did not have. */
  readonly jwksUrl?: string
  /** Lets `jwksUrl` go without TLS to another machine. Default false. */
  readonly allowHttp?: boolean
  /** Milliseconds the keys may take to come. Default 5,000. */
  readonly timeoutMs?: number
  /** Seconds for which fetched keys are good. Default 600. */
  readonly cacheSeconds?: number
  /** Who must have issued the token (`iss`). Left out: anybody with the key. */
  readonly issuer?: string | readonly string[]
  /** Whom it must be for (`aud`), one of these. Left out: anybody. */
  readonly audience?: string | readonly string[]
  /** Signatures taken. Default: HS256, HS384, HS512 with a secret; RS, PS and ES 256 to 512 and EdDSA with keys. `none` never is. */
  readonly algorithms?: readonly string[]
  /** The claim that is the user name; a token without it is refused. Default `sub`. */
  readonly usernameClaim?: string
  /** Seconds by which clocks may differ. Default 5. */
  readonly clockTolerance?: number
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** For tests that own time. Default: the system's. */
  readonly clock?: Clock
}

const names: NamesOf<JwtOptions> = {
  secret: true,
  publicKey: true,
  jwksUrl: true,
  allowHttp: true,
  timeoutMs: true,
  cacheSeconds: true,
  issuer: true,
  audience: true,
  algorithms: true,
  usernameClaim: true,
  clockTolerance: true,
  log: true,
  clock: true,
}

const secretAlgorithms = ['HS256', 'HS384', 'HS512']
const keyAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const looksLikeToken = /^[\w-]+\.[\w-]+\.[\w-]*$/

/**
 * A JSON Web Token (RFC 7519) in the password field says who the client is, whatever its user name says; its claims are
 * there for access rules. It must have `exp`, at which the chain ends the connection. A password that is no token is
 * not its business.
 * @throws BrokerError `invalid-option`.
 */
export function jwt(options: JwtOptions): Authenticator {
  checkNames(options, names, 'jwt')
  const { issuer, audience, usernameClaim = 'sub', clockTolerance = 5 } = options
  const { log = silentLogger, clock = systemClock } = options
  const key = keySource(options)
  const algorithms = [...(options.algorithms ?? (options.secret === undefined ? keyAlgorithms : secretAlgorithms))]
  if (algorithms.some((name) => ![...secretAlgorithms, ...keyAlgorithms].includes(name))) {
    throw new BrokerError(
      'invalid-option',
      `algorithms is ${algorithms}; it takes ${[...secretAlgorithms, ...keyAlgorithms].join(', ')}`,
    )
  }
  const terms = {
    algorithms,
    clockTolerance,
    requiredClaims: ['exp', usernameClaim],
    ...(issuer !== undefined && { issuer: [issuer].flat() }),
    ...(audience !== undefined && { audience: [audience].flat() }),
  }
  return {
    name: 'jwt',
    async check({ password, clientId }) {
      const token = Buffer.from(password ?? []).toString('latin1')
      if (!looksLikeToken.test(token)) return 'not mine'
      try {
        const { payload } = await jwtVerify(token, key, { ...terms, currentDate: new Date(clock.now()) })
        return identityOf(payload, usernameClaim, clockTolerance)
      } catch (error) {
        const isToken =
          error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && !isFetchFailure(error)
        log.log(isToken ? 'info' : 'error', isToken ? 'token refused' : 'cannot fetch the keys of tokens', {
          clientId,
          why: error instanceof Error ? error.message : String(error),
        })
        return isToken ? 'deny' : 'unavailable'
      }
    },
  }
}

/** jose says by its general error that the answer was no key set, and passes on what `fetch` throws. */
const isFetchFailure = (error: errors.JOSEError): boolean =>
  error.code === 'ERR_JOSE_GENERIC' || error instanceof errors.JWKSInvalid

function identityOf(payload: JWTPayload, usernameClaim: string, clockTolerance: number): Verdict {
  const username = payload[usernameClaim]
  if (typeof username !== 'string' || username === '') return 'deny'
  return { username, claims: payload, expiresAt: (payload.exp! + clockTolerance) * 1000 }
}

function keySource({
  secret,
  publicKey,
  jwksUrl,
  allowHttp = false,
  timeoutMs = 5_000,
  cacheSeconds = 600,
}: JwtOptions): JWTVerifyGetKey {
  if ([secret, publicKey, jwksUrl].filter((one) => one !== undefined).length !== 1) {
    throw new BrokerError('invalid-option', 'jwt takes exactly one of secret, publicKey and jwksUrl')
  }
  if (jwksUrl !== undefined) {
    return createRemoteJWKSet(serviceUrl('jwksUrl', jwksUrl, allowHttp), {
      timeoutDuration: timeoutMs,
      cacheMaxAge: cacheSeconds * 1000,
    })
  }
  const key = publicKey === undefined ? secretKey(secret!) : readPublicKey(publicKey)
  return async () => key
}

function secretKey(secret: string | Uint8Array): KeyObject {
  const bytes = Buffer.from(secret)
  if (bytes.length < 32)
    throw new BrokerError('invalid-option', `the secret of tokens has ${bytes.length} bytes; it takes 32 or more`)
  return createSecretKey(bytes)
}

function readPublicKey(pem: string): KeyObject {
  try {
    if (/PRIVATE KEY/.test(pem)) throw new Error('it is a private key')
    return createPublicKey(pem)
  } catch (error) {
    throw new BrokerError(
      'invalid-option',
      `publicKey cannot be used: ${(error as Error).message}; it takes a public key or certificate in PEM`,
    )
  }
}
