import { readFileSync } from 'node:fs'
import type { ProtocolVersion } from '@godwit/client'
import { InvalidArgumentError } from 'commander'
import { CommandError } from './command-error.js'
import { protocolVersion } from './protocol-versions.js'
import { type ProxyServer, proxy } from './proxy.js'
import { savedServer } from './saved-servers.js'
import { type ServerFlags, serverUrl } from './server-options.js'
import { everyScheme, parseServerUrl } from './server-url.js'
import { systemProblem } from './system-problem.js'

/** The flags that a saved server can say. */
export interface NamedServerFlags extends ServerFlags {
  readonly username?: string
  readonly pw?: string
  readonly pwFile?: string
  readonly id?: string
  readonly protocolVersion?: ProtocolVersion
  readonly proxy?: ProxyServer
  /** The saved server that this is, `@name`: whoever sits at a keyboard is asked for the password that it lacks. */
  readonly asksForPassword?: string
}

/** A server as people name it behind a command, or in GODWIT_URL: a URL, or `@name` of one that is saved. */
export function serverArgument(text: string): string {
  if (/^@./.test(text)) return text
  if (!text.includes('://')) {
    throw new InvalidArgumentError('it takes @NAME of a saved server, or a URL such as mqtt://localhost.')
  }
  serverUrl(text)
  return text
}

/**
 * The flags, with what the server that is named says where they say nothing themselves: that behind the command, or else
 * that of GODWIT_URL where no flag names one.
 * @throws CommandError for a server that is not saved, and for a GODWIT_URL that is none.
 */
export function withNamedServer<Flags extends NamedServerFlags>(
  flags: Flags,
  named: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Flags {
  const { GODWIT_URL } = environment
  if (named !== undefined) {
    if (flags.url)
      throw new CommandError(`${named.replace(/\/\/.*@/, '//')} and --url are two servers; leave one of them out`)
    return { ...flagsOf(named), ...flags }
  }
  const isNamed = flags.url ?? flags.host ?? flags.port ?? flags.unix
  if (isNamed !== undefined || !GODWIT_URL) return flags
  try {
    return { ...flagsOf(serverArgument(GODWIT_URL)), ...flags }
  } catch (error) {
    const { message } = error as Error
    // The value may hold a password.
    throw new CommandError(`GODWIT_URL: ${message.replace(/\.$/, '')}`)
  }
}

function flagsOf(named: string): Partial<NamedServerFlags> {
  if (!named.startsWith('@')) return { url: serverUrl(named) }
  const { url, protocolVersion: version, proxy: by, ...saved } = savedServer(named)
  const parsed = parseServerUrl(url, everyScheme)
  if (typeof parsed === 'string') throw new CommandError(`the URL that is saved as ${named} is wrong: ${parsed}`)
  return {
    ...(saved as Partial<NamedServerFlags>),
    url: parsed,
    ...(by !== undefined && { proxy: proxy(by) }),
    ...(version !== undefined && { protocolVersion: protocolVersion(version) }),
    asksForPassword: named,
  }
}

/** The first line of a file. @throws CommandError */
export function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? ''
  } catch (error) {
    throw new CommandError(
      `cannot read the password file ${file}: ${systemProblem(error)}; name another with --pw-file`,
    )
  }
}
