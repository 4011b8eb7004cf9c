import { readFileSync } from 'node:fs'
import type { Hooks, Logger } from '@godwit/broker'
import {
  type AccessRule,
  type Authenticator,
  accessRules,
  authenticationChain,
  certificateIdentity,
  httpAuthentication,
  type JwtOptions,
  jwt,
  parseAccessRules,
  passwordFile,
} from '@godwit/broker/access'
import { CommandError } from './command-error.js'
import { readAccessRules } from './commands/acl-file.js'
import type { Resolved } from './config/resolve.js'
import type { Config } from './config/schema.js'
import { systemProblem } from './system-problem.js'

/** Who may come in and do what, as the configuration says. */
export interface Access {
  /** For the broker; empty where the configuration says nothing. */
  readonly hooks: readonly Hooks[]
  /** Reads password file and access rules again; what is broken leaves the old in force, and is told. */
  reload(): Promise<void>
  close(): void
}

/**
 * @param disconnect ends a client whose token has expired.
 * @throws CommandError, BrokerError for files that are not there or wrong.
 */
export async function accessOf(
  settings: Resolved,
  log: Logger,
  disconnect: (clientId: string) => void,
): Promise<Access> {
  const { auth, acl } = settings.config
  const authenticators = await Promise.all(authenticatorsOf(auth, log))
  const chain = authenticators.length > 0 ? authenticationChain(authenticators, { disconnect, log }) : undefined
  const readRules = (): readonly AccessRule[] | undefined => rulesOf(acl, settings)
  const given = readRules()
  const rules = given && accessRules(given)
  return {
    hooks: [...(chain ? [chain] : []), ...(rules ? [rules] : [])],
    async reload() {
      await chain?.reload()
      const again = acl.file === undefined ? undefined : readRules()
      if (again) rules?.replace(again)
    },
    close: () => chain?.close(),
  }
}

function authenticatorsOf(auth: Config['auth'], log: Logger): readonly (Authenticator | Promise<Authenticator>)[] {
  const { certificate, passwordFile: file, jwt: token, http } = auth
  return [
    ...(certificate ? [certificateIdentity({ from: certificate })] : []),
    ...(file === undefined ? [] : [passwordFile(file, { log })]),
    ...(token ? [jwt({ ...jwtOptions(token), log })] : []),
    ...(http ? [httpAuthentication({ ...(http as { url: string }), log })] : []),
  ]
}

function jwtOptions({ secretFile, publicKeyFile, ...rest }: NonNullable<Config['auth']['jwt']>): JwtOptions {
  const secret = secretFile === undefined ? undefined : fileText(secretFile).trim()
  const publicKey = publicKeyFile === undefined ? undefined : fileText(publicKeyFile)
  return {
    ...rest,
    ...(secret !== undefined && { secret }),
    ...(publicKey !== undefined && { publicKey }),
  } as JwtOptions
}

function rulesOf({ file, rules }: Config['acl'], { origin }: Resolved): readonly AccessRule[] | undefined {
  if (file !== undefined && rules !== undefined) {
    throw new CommandError(`${origin(['acl', 'rules'])}: acl takes one of file and rules, not both`)
  }
  if (file !== undefined) return readAccessRules(file)
  return rules && parseAccessRules(rules, (at) => origin(['acl', 'rules', at]))
}

function fileText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${systemProblem(error)}`)
  }
}
