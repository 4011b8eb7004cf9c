import { chownSync, existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  formatTokens,
  hashOfToken,
  newToken,
  parseTokens,
  type Role,
  roles,
  type StoredToken,
} from '@godwit/admin/parts'
import { InvalidArgumentError } from 'commander'
import { oneOf } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { printableJson } from '../control/printable-json.js'
import { prepareDataFolder } from '../data-folder.js'
import { replaceFile } from '../editing/replaced-file.js'
import { tokensFileName } from '../http/http-settings.js'
import { systemProblem } from '../system-problem.js'
import { type Terminal, write } from '../terminal.js'

const actions = ['create', 'list', 'revoke']

const manual: Manual = {
  name: 'token',
  summary: "Creates, lists and revokes tokens for a broker's HTTP API.",
  examples: [
    ['godwit token create grafana --role viewer', 'prints the token, once: the file holds a hash of it'],
    ['godwit token create deploy --role admin --expires 90d'],
    ['godwit token list'],
    ['godwit token revoke grafana', 'within a second its cookies and streams end too'],
  ],
  notes: [
    'A viewer looks, and sees no payload; an operator looks at everything, publishes, disconnects and traces; an admin does all there is. A running broker takes up what has changed by itself.',
  ],
  actions,
}

interface Flags {
  readonly data?: string
  readonly file?: string
  readonly role?: Role
  readonly expires?: number
  readonly json?: true
}

export function tokenLine(): CommandLine {
  return commandLine(manual)
    .usage('create|list|revoke [options] [name]')
    .argument('<action>', 'create, list or revoke')
    .argument('[name]', 'what the token is called, in lists and in the log')
    .option('--role <role>', `of a new token: ${roles.join(', ')} (default: viewer)`, oneOf(roles))
    .option('--expires <duration>', 'of a new token: after so long, such as 12h or 90d (default: never)', durationMs)
    .option('--data <folder>', "the broker's data folder (default: ./godwit-data, or GODWIT_DATA)")
    .option('--file <file>', 'the file of its tokens, where it is not in that folder (or GODWIT_HTTP__TOKENS_FILE)')
    .option('--json', 'of a list: print a JSON array')
}

/** `godwit token`: who may use a broker's HTTP API. */
export async function token(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = tokenLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [action = '', name] = command.args
  if (!actions.includes(action)) throw new CommandError(noAction('token', action, actions))
  const path = fileOf(flags)
  const tokens = await read(path)
  if (action === 'list') return list(tokens, flags, terminal)
  if (name === undefined) throw new CommandError(`name the token: godwit token ${action} NAME`)
  return action === 'create' ? create(name, tokens, path, flags, terminal) : revoke(name, tokens, path, terminal)
}

function fileOf({ data, file }: Flags): string {
  const { GODWIT_DATA = './godwit-data', GODWIT_HTTP__TOKENS_FILE } = process.env
  const named = file ?? (data === undefined ? GODWIT_HTTP__TOKENS_FILE : undefined)
  if (named !== undefined) return resolve(named)
  const folder = data ?? GODWIT_DATA
  if (folder === 'memory')
    throw new CommandError(
      'a broker that keeps nothing has a file of tokens only when it is given one: name it with --file',
    )
  return join(resolve(folder), tokensFileName)
}

async function read(path: string): Promise<readonly StoredToken[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new CommandError(`cannot read ${path}: ${systemProblem(error)}`)
  }
  try {
    return parseTokens(text)
  } catch (error) {
    throw new CommandError(`${path}: ${(error as Error).message}; mend it, or remove it and create the tokens anew`)
  }
}

async function create(
  name: string,
  tokens: readonly StoredToken[],
  path: string,
  { role = 'viewer', expires, data }: Flags,
  terminal: Terminal,
): Promise<number> {
  if (tokens.some((one) => one.name === name)) {
    throw new CommandError(`there is a token ${JSON.stringify(name)} already; revoke it, or choose another name`)
  }
  const secret = newToken()
  const now = Date.now()
  const expiresAt = expires === undefined ? null : new Date(now + expires).toISOString()
  if (dirname(path) === resolve(data ?? process.env.GODWIT_DATA ?? './godwit-data')) prepareDataFolder(dirname(path))
  const more = [
    ...tokens,
    { name, role, sha256: hashOfToken(secret), createdAt: new Date(now).toISOString(), expiresAt },
  ]
  await put(path, more)
  await write(terminal.stdout, `${secret}\n`)
  await write(
    terminal.stderr,
    `${name} is ${role}${expiresAt === null ? '' : ` until ${expiresAt}`}; the token is not shown again\n`,
  )
  return 0
}

async function revoke(name: string, tokens: readonly StoredToken[], path: string, terminal: Terminal): Promise<number> {
  const left = tokens.filter((one) => one.name !== name)
  if (left.length === tokens.length) throw new CommandError(`there is no token ${JSON.stringify(name)} in ${path}`)
  await put(path, left)
  await write(terminal.stdout, `revoked ${name}\n`)
  return 0
}

async function list(tokens: readonly StoredToken[], { json }: Flags, terminal: Terminal): Promise<number> {
  const shown = tokens.map(({ name, role, createdAt, expiresAt }) => ({ name, role, createdAt, expiresAt }))
  const lines = shown.map(({ name, role, createdAt, expiresAt }) => {
    const until =
      expiresAt === null ? '' : Date.parse(expiresAt) <= Date.now() ? ', has expired' : `, until ${expiresAt}`
    return `${name}: ${role}, since ${createdAt}${until}\n`
  })
  await write(terminal.stdout, json ? `${printableJson(shown)}\n` : lines.join(''))
  return 0
}

/** @throws CommandError for a name that cannot be, and for a file that cannot be written. */
async function put(path: string, tokens: readonly StoredToken[]): Promise<void> {
  const text = formatTokens(tokens)
  try {
    parseTokens(text)
  } catch (error) {
    throw new CommandError((error as Error).message.replace(/^tokens\.\d+\.name: /, ''))
  }
  try {
    const isNew = !existsSync(path)
    await replaceFile(path, text, { mode: 0o600 })
    if (isNew) giveToOwnerOf(dirname(path), path)
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${systemProblem(error)}; it is as it was`)
  }
}

/** Made by root in a folder of the broker's own user, it is that user's to read. */
function giveToOwnerOf(folder: string, path: string): void {
  const { uid, gid } = statSync(folder)
  if (process.getuid?.() === 0 && uid !== 0) chownSync(path, uid, gid)
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationMs(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const ms = Number(digits) * (unitMs[unit] ?? Number.NaN)
  if (ms > 0) return ms
  throw new InvalidArgumentError('it takes a number and m, h or d, such as 12h or 90d.')
}
