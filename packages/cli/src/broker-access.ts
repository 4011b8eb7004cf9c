import type { AccessExplainer } from '@godwit/admin/parts'
import type { Hooks, Logger } from '@godwit/broker'
import {
  type AccessRule,
  type AccessRules,
  type AuthenticationChain,
  type Authenticator,
  accessRules,
  authenticationChain,
  certificateIdentity,
  type HttpAuthenticationOptions,
  httpAuthentication,
  type JwtOptions,
  jwt,
  parseAccessRules,
  passwordFile,
} from '@godwit/broker/access'
import { explainerOf } from './access-explainer.js'
import type { BannerFacts } from './banner.js'
import { doorNames } from './broker-doors.js'
import { CommandError } from './command-error.js'
import { readAccessRules } from './commands/acl-file.js'
import { inPlace } from './config/in-place.js'
import type { Path } from './config/layers.js'
import type { Resolved } from './config/resolve.js'
import type { Config } from './config/schema.js'
import { consoleDoor, hooksByListener, type ListenerHooks } from './hooks-by-listener.js'
import { isLoopback } from './loopback.js'
import { fileText, headersOf } from './secret-files.js'

/** Who may come in and do what, as the configuration says. */
export interface Access {
  /** For the broker; empty where the configuration says nothing. */
  readonly hooks: readonly Hooks[]
  /** Reads password files and access rules again; what is broken leaves the old in force, and is told. */
  reload(): Promise<void>
  /** Says why somebody may do something or not, by the rules in force. */
  readonly explainer: AccessExplainer
  close(): void
}

type Auth = Config['auth']
type Acl = Config['acl']

/**
 * @param disconnect ends a client whose token has expired.
 * @throws CommandError, BrokerError for files that are not there or wrong.
 */
export async function accessOf(
  settings: Resolved,
  log: Logger,
  disconnect: (clientId: string) => void,
): Promise<Access> {
  const { auth, acl, allowAnonymous, listeners } = settings.config
  const chains: AuthenticationChain[] = []
  const ruleSets: { readonly rules: AccessRules; readonly read: () => readonly AccessRule[] | undefined }[] = []

  const chainOf = async (own: Auth, path: Path, anonymous: boolean): Promise<AuthenticationChain | undefined> => {
    if (!asksForCredentials(own)) return undefined
    const authenticators = await allOrNone([
      ...authenticatorsOf(own, path, settings, log),
      ...(anonymous ? [anybody] : []),
    ])
    const { backOff } = own
    const chain = authenticationChain(authenticators, { disconnect, log, ...(backOff && { backOff: said(backOff) }) })
    chains.push(chain)
    return chain
  }
  const rulesOf = async (own: Acl, path: Path): Promise<AccessRules | undefined> => {
    const read = (): readonly AccessRule[] | undefined =>
      rulesIn(own, path, settings, (warning) => log.log('warn', warning))
    const given = await inPlace(settings, [...path, 'file'], read)
    if (!given) return undefined
    const rules = accessRules(given)
    if (own.file !== undefined) ruleSets.push({ rules, read })
    return rules
  }

  const ownOf = async (
    door: Config['listeners'][number],
    at: number,
    common: ListenerHooks,
  ): Promise<ListenerHooks> => {
    const asksAsAll = door.auth === undefined && door.allowAnonymous === undefined
    const path = door.auth === undefined ? ['auth'] : ['listeners', at, 'auth']
    return {
      chain: asksAsAll ? common.chain : await chainOf(door.auth ?? auth, path, door.allowAnonymous ?? allowAnonymous),
      rules: door.acl === undefined ? common.rules : await rulesOf(door.acl, ['listeners', at, 'acl']),
    }
  }
  const hooks = async (): Promise<readonly Hooks[]> => {
    const common: ListenerHooks = {
      chain: await chainOf(auth, ['auth'], allowAnonymous),
      rules: await rulesOf(acl, ['acl']),
    }
    const names = doorNames(listeners)
    const own = new Map<string, ListenerHooks>()
    for (const [at, door] of listeners.entries()) {
      if (hasOwnAccess(door)) own.set(names[at]!, await ownOf(door, at, common))
    }
    explainer = explainerOf(common.rules, new Map([...own].map(([name, { rules }]) => [name, rules])), names)
    const { chain, rules } = common
    if (!chain && !rules && own.size === 0) return []
    // Who comes from the console has shown a token already.
    return [hooksByListener(common, new Map([...own, [consoleDoor, { chain: undefined, rules: undefined }]]))]
  }
  let explainer: AccessExplainer | undefined
  const close = (): void => {
    for (const each of chains) each.close()
  }

  const made = await hooks().catch((error: unknown) => {
    close()
    throw error
  })
  return {
    hooks: made,
    explainer: explainer!,
    async reload() {
      for (const each of chains) await each.reload()
      const read = ruleSets.map((set) => ({ set: set.rules, rules: set.read() }))
      for (const { set, rules: again } of read) if (again) set.replace(again)
    },
    close,
  }
}

/** Where one cannot be opened, those that were are closed again. */
async function allOrNone(opening: readonly (Authenticator | Promise<Authenticator>)[]): Promise<Authenticator[]> {
  const results = await Promise.allSettled(opening)
  const failed = results.find((result) => result.status === 'rejected')
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  if (!failed) return opened
  for (const each of opened) each.close?.()
  throw failed.reason
}

/**
 * Without authentication only programs of this machine come in, unless the person who starts it says otherwise.
 * @throws CommandError
 */
export function whoMayCome({ listeners, allowAnonymous, auth }: Config): BannerFacts['who'] {
  const doors = listeners.map((door) => ({
    asks: asksForCredentials(door.auth ?? auth),
    anonymous: door.allowAnonymous ?? allowAnonymous,
    isOpen: door.socket === undefined && !isLoopback(door.host),
    host: door.host,
  }))
  const refused = doors.find(({ asks, anonymous, isOpen }) => isOpen && !asks && !anonymous)
  if (refused) {
    throw new CommandError(
      `${refused.host} can be reached by other machines and nobody is asked for a password; configure auth, or add --allow-anonymous to let anyone in`,
    )
  }
  if (doors.some(({ asks, anonymous, isOpen }) => isOpen && (!asks || anonymous))) return 'anyone'
  return doors.every(({ asks, anonymous }) => asks && !anonymous) ? 'authenticated' : 'this machine'
}

/** Whether a listener lets in who shows nothing. */
export function isAnonymous(door: Config['listeners'][number], { auth, allowAnonymous }: Config): boolean {
  return !asksForCredentials(door.auth ?? auth) || (door.allowAnonymous ?? allowAnonymous)
}

function hasOwnAccess({ auth, acl, allowAnonymous }: Config['listeners'][number]): boolean {
  return auth !== undefined || acl !== undefined || allowAnonymous !== undefined
}

function asksForCredentials({ certificate, passwordFile: file, jwt: token, http }: Auth): boolean {
  return (certificate ?? file ?? token ?? http) !== undefined
}

/** Asked last: who shows nothing, where that is allowed. */
const anybody: Authenticator = {
  name: 'allowAnonymous',
  check: ({ username, password }) => (username === undefined && password === undefined ? 'allow' : 'not mine'),
}

/** @param path of this `auth` in the configuration. */
function authenticatorsOf(auth: Auth, path: Path, settings: Resolved, log: Logger): readonly Promise<Authenticator>[] {
  const { certificate, passwordFile: file, jwt: token, http } = auth
  const made = (key: keyof Auth, make: () => Authenticator | Promise<Authenticator>): Promise<Authenticator> =>
    inPlace(settings, [...path, key], make)
  return [
    ...(certificate ? [made('certificate', () => certificateIdentity({ from: certificate }))] : []),
    ...(file === undefined ? [] : [made('passwordFile', () => passwordFile(file, { log }))]),
    ...(token ? [made('jwt', () => jwt({ ...jwtOptions(token), log }))] : []),
    ...(http ? [made('http', () => httpAuthentication({ ...httpOptions(http), log }))] : []),
  ]
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

/** Without what was not said: to a library, `undefined` is a value. */
function said<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/**
 * The access rules of the configuration, each with the place where it stands; undefined where there are none.
 * @param path of this `acl` in the configuration.
 * @throws CommandError, BrokerError for what is wrong with them.
 */
export function rulesIn(
  { file, rules }: Acl,
  path: Path,
  { origin }: Resolved,
  warn?: (warning: string) => void,
): readonly AccessRule[] | undefined {
  if (file !== undefined) return readAccessRules(file, warn)
  return rules && parseAccessRules(rules, (at) => origin([...path, 'rules', at]))
}
