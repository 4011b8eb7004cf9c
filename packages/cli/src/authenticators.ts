import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '@godwit/broker'
import {
  type Authenticator,
  certificateIdentity,
  type HttpAuthenticationOptions,
  httpAuthentication,
  type JwtOptions,
  jwt,
  passwordFile,
} from '@godwit/broker/access'
import { inPlace } from './config/in-place.js'
import type { Path } from './config/layers.js'
import type { Resolved } from './config/resolve.js'
import type { Config } from './config/schema.js'
import { said } from './said.js'
import { fileText, headersOf } from './secret-files.js'

type Auth = Config['auth']

/** An authenticator, and all that it was made from; `undefined`: a file, which may be another now. */
export interface Link {
  readonly from: unknown
  readonly authenticator: Authenticator
}

interface LinkParts {
  readonly settings: Resolved
  readonly log: Logger
  /** Those in force at the same place: one that is made from the same goes on, with the answers it has. */
  readonly known: readonly Link[]
  /** Gets those that are made. */
  readonly opened: Link[]
  /** Who knows users besides, asked behind what an `auth` names. */
  readonly others?: Authenticator | undefined
}

/**
 * Makes what an `auth` names, in the order in which it is asked.
 * @param path of this `auth` in the configuration.
 * @throws CommandError, BrokerError for what cannot be used, after all have been tried; what is in `opened` is the caller's to close.
 */
export async function linksOf(auth: Auth, path: Path, anonymous: boolean, parts: LinkParts): Promise<readonly Link[]> {
  const { settings, log, known, opened, others } = parts
  const { certificate, passwordFile: file, jwt: token, http } = auth
  const link = async <From>(
    key: keyof Auth,
    fromOf: () => From,
    make: (from: From) => Authenticator | Promise<Authenticator>,
  ): Promise<Link> =>
    inPlace(settings, [...path, key], async () => {
      const from = fromOf()
      const same = known.find((one) => one.from !== undefined && isDeepStrictEqual(one.from, [key, from]))
      if (same) return same
      const made = { from: key === 'passwordFile' ? undefined : [key, from], authenticator: await make(from) }
      opened.push(made)
      return made
    })
  const results = await Promise.allSettled([
    ...(certificate
      ? [
          link(
            'certificate',
            () => certificate,
            (from) => certificateIdentity({ from }),
          ),
        ]
      : []),
    ...(file === undefined
      ? []
      : [
          link(
            'passwordFile',
            () => file,
            (name) => passwordFile(name, { log, unknown: others ? 'not mine' : 'deny' }),
          ),
        ]),
    ...(token
      ? [
          link(
            'jwt',
            () => jwtOptions(token),
            (options) => jwt({ ...options, log }),
          ),
        ]
      : []),
    ...(http
      ? [
          link(
            'http',
            () => httpOptions(http),
            (options) => httpAuthentication({ ...options, log }),
          ),
        ]
      : []),
    ...(others ? [{ from: undefined, authenticator: others }] : []),
    ...(anonymous ? [{ from: undefined, authenticator: anybody }] : []),
  ])
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

/** Asked last: who shows nothing, where that is allowed. */
const anybody: Authenticator = {
  name: 'allowAnonymous',
  check: ({ username, password }) => (username === undefined && password === undefined ? 'allow' : 'not mine'),
}

function jwtOptions({ secretFile, publicKeyFile, ...rest }: NonNullable<Auth['jwt']>): JwtOptions {
  return said({
    ...rest,
    ...(secretFile !== undefined && { secret: fileText(secretFile, 'secretFile').trim() }),
    ...(publicKeyFile !== undefined && { publicKey: fileText(publicKeyFile, 'publicKeyFile') }),
  })
}

function httpOptions({ headers, headersFile, ...rest }: NonNullable<Auth['http']>): HttpAuthenticationOptions {
  const all = { ...(headersFile !== undefined && headersOf(headersFile)), ...headers }
  return said({ ...rest, headers: all }) as HttpAuthenticationOptions
}
