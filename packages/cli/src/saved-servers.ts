import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { nearest } from '@godwit/protocol'
import { CommandError } from './command-error.js'
import { systemProblem } from './system-problem.js'

/** What is kept of a server under a name: flags of pub, sub and rr. Paths are absolute. */
export interface SavedServer {
  readonly url: string
  readonly username?: string
  /** In the clear; only where somebody has asked for that. */
  readonly pw?: string
  readonly pwFile?: string
  readonly id?: string
  readonly protocolVersion?: string
  readonly cafile?: string
  readonly capath?: string
  readonly cert?: string
  readonly key?: string
  readonly insecure?: true
  readonly tlsAlpn?: string
  readonly tlsVersion?: string
  readonly proxy?: string
}

type SavedServers = Readonly<Record<string, SavedServer>>

/** Where they are kept: `godwit/servers.json` in the folder for configurations of this user. */
export function savedServersPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CONFIG_HOME, APPDATA } = environment
  const folder = XDG_CONFIG_HOME || (process.platform === 'win32' && APPDATA) || join(homedir(), '.config')
  return join(folder, 'godwit', 'servers.json')
}

/** @throws CommandError for a file that cannot be read, or is something else. */
export function savedServers(path = savedServersPath()): SavedServers {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new CommandError(`cannot read the saved servers ${path}: ${systemProblem(error)}`)
  }
  try {
    const servers: unknown = JSON.parse(text)
    if (typeof servers === 'object' && servers !== null && !Array.isArray(servers)) return servers as SavedServers
  } catch {
    // told below
  }
  throw new CommandError(`${path} does not hold saved servers any more: it is no JSON object; mend it, or move it away`)
}

/**
 * The server of a name, with or without the @ before it.
 * @throws CommandError where there is none.
 */
export function savedServer(name: string, path = savedServersPath()): SavedServer {
  const plain = name.replace(/^@/, '')
  const servers = savedServers(path)
  const server = Object.hasOwn(servers, plain) ? servers[plain] : undefined
  if (server) return server
  const meant = nearest(plain, Object.keys(servers))
  throw new CommandError(
    `no server is saved as '${plain}'; ${meant === undefined ? `save one: godwit server add ${plain} mqtts://HOST` : `did you mean @${meant}?`}`,
  )
}

/**
 * Writes them whole or not at all, readable by this user alone.
 * @throws CommandError
 */
export function saveServers(servers: SavedServers, path = savedServersPath()): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, `${JSON.stringify(servers, undefined, 2)}\n`, { mode: 0o600 })
    chmodSync(draft, 0o600) // the mode above is for a new file only
    renameSync(draft, path)
  } catch (error) {
    throw new CommandError(`cannot write the saved servers ${path}: ${systemProblem(error)}`)
  }
}
