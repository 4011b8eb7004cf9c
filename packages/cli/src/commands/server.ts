import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { columnsOf, paintFor } from '../colors.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { protocolVersion } from '../protocol-versions.js'
import { proxy } from '../proxy.js'
import { type SavedServer, savedServer, savedServers, savedServersPath, saveServers } from '../saved-servers.js'
import { serverUrl } from '../server-options.js'
import { everyScheme, parseServerUrl } from '../server-url.js'
import { type Terminal, write } from '../terminal.js'
import { addTlsOptions, type TlsFlags } from '../tls-options.js'
import { listed } from '../wrapping.js'

const actions = ['add', 'list', 'remove'] as const

const manuals: Readonly<Record<'all' | 'add', Manual>> = {
  all: {
    name: 'server',
    summary: 'Saves servers under names. pub, sub and rr take @name for one.',
    examples: [
      ['godwit server add plant mqtts://broker.plant.example --username ann'],
      ["godwit sub @plant -t '#'", 'asks for the password, which is not saved'],
      ['godwit server list'],
      ['godwit server remove plant'],
    ],
    notes: [
      `They are kept in ${savedServersPath({ XDG_CONFIG_HOME: '~/.config' })} (of XDG_CONFIG_HOME where that is set), which this user alone may read. A password is kept there in the clear only with --save-password.`,
      'GODWIT_URL names the server of pub, sub and rr where nothing else does: a URL, or @name.',
    ],
    actions,
  },
  add: {
    name: 'server add',
    summary: 'Saves a server under a name, for @name. Files are kept as paths, not as what they hold.',
    examples: [
      ['godwit server add plant mqtts://broker.plant.example --username ann', 'its password is asked for at each use'],
      ['godwit server add plant mqtts://broker.plant.example --username ann --pw-file ~/.plant-password'],
      ['godwit server add home mqtt://homeassistant.local --username ann --pw secret --save-password'],
    ],
  },
}

interface AddFlags extends TlsFlags {
  readonly username?: string
  readonly pw?: string
  readonly pwFile?: string
  readonly savePassword?: true
  readonly id?: string
  readonly protocolVersion?: string
  readonly proxy?: string
  readonly replace?: true
}

export function serverLines(): readonly CommandLine[] {
  const all = commandLine(manuals.all)
    .usage('add|list|remove [name] [options]')
    .argument('[name]', 'of the server, without @')
    .option('--names', 'of list: print names only, each as @name')
  return [all, addLine()]
}

function addLine(): CommandLine {
  return addTlsOptions(commandLine(manuals.add))
    .usage('[options] <name> <url>')
    .argument('<name>', 'letters, digits, - and _', serverName)
    .argument('<url>', 'mqtt[s]://host[:port], ws[s]://…/path or unix:///path', url)
    .option('-u, --username <name>', 'user name')
    .option('-P, --pw <password>', 'password; needs --save-password')
    .option('--save-password', 'keep the password in the file, in the clear')
    .option('--pw-file <file>', 'a file whose first line is the password')
    .option('-i, --id <id>', 'client identifier')
    .option('-V, --protocol-version <version>', 'mqttv5, mqttv311 or mqttv31', checked(protocolVersion))
    .option('--proxy <url>', 'the proxy on the way there', checked(proxy))
    .option('--replace', 'take the place of the server of that name')
}

/** `godwit server`: saved servers. */
export async function server(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action = '', ...rest] = args
  if (action === 'add') return add(rest, terminal)
  const [line] = serverLines() as [CommandLine]
  const known = actions.find((each) => each === action)
  if (!known && !action.startsWith('-')) throw new CommandError(noAction('server', action, actions))
  const flags = parse<{ readonly names?: true }>(line, known ? rest : args, terminal)
  if (flags === helped) return 0
  const [name] = line.args
  if (known === 'list') return flags.names ? listNames(terminal) : list(name, terminal)
  if (known === 'remove') return remove(name, terminal)
  throw new CommandError(noAction('server', action.startsWith('-') ? '' : action, actions))
}

async function add(args: readonly string[], terminal: Terminal): Promise<number> {
  const line = addLine()
  const flags = parse<AddFlags>(line, args, terminal)
  if (flags === helped) return 0
  const [name, given] = line.processedArgs as [string, string]
  const servers = savedServers()
  if (Object.hasOwn(servers, name) && !flags.replace) {
    throw new CommandError(`'${name}' is saved already; choose another name, or add --replace`)
  }
  const saved = toSave(given, flags)
  const path = savedServersPath()
  saveServers({ ...servers, [name]: saved }, path)
  const password = flags.savePassword ? `; ${path} holds its password in the clear, for you alone to read` : ''
  await write(terminal.stdout, `saved @${name}${password}\n`)
  return 0
}

function toSave(given: string, flags: AddFlags): SavedServer {
  const { savePassword, replace: _, username, pw, ...rest } = flags
  const parts = serverUrl(given)
  const name = username ?? parts.username
  const password = pw ?? parts.password
  const ofProxy = flags.proxy === undefined ? undefined : proxy(flags.proxy).password
  if ((password ?? ofProxy) !== undefined && !savePassword) {
    throw new CommandError(
      `a saved password can be read in ${savedServersPath()} (mode 0600); add --save-password if that is right, leave it out to be asked for it, or name a file with --pw-file`,
    )
  }
  if (savePassword && (password ?? ofProxy) === undefined)
    throw new CommandError('--save-password needs the password; add --pw')
  if (password !== undefined && flags.pwFile !== undefined) {
    throw new CommandError('--pw and --pw-file are two passwords; leave one of them out')
  }
  const absolute = Object.fromEntries(
    (['cafile', 'capath', 'cert', 'key', 'pwFile'] as const).flatMap((key) => {
      const path = flags[key]
      if (path === undefined) return []
      if (!existsSync(path)) throw new CommandError(`there is no ${resolve(path)}; name another file`)
      return [[key, resolve(path)]]
    }),
  )
  return {
    ...(rest as Omit<SavedServer, 'url'>),
    ...absolute,
    url: withoutUser(given),
    ...(name !== undefined && { username: name }),
    ...(password !== undefined && { pw: password }),
  }
}

function withoutUser(given: string): string {
  return given.replace(/^([a-z+]+:\/\/)[^@/]*@/i, '$1')
}

async function list(name: string | undefined, terminal: Terminal): Promise<number> {
  const servers = name === undefined ? savedServers() : { [name]: savedServer(name) }
  const rows = Object.entries(servers).map(([each, saved]) => [`@${each}`, inWords(saved)] as const)
  if (rows.length === 0) {
    await write(terminal.stderr, `no server is saved yet; save one: godwit server add plant mqtts://HOST\n`)
    return 0
  }
  const { cyan } = paintFor(terminal.stdout)
  await write(terminal.stdout, `${listed(rows, { columns: columnsOf(terminal.stdout), term: cyan }).join('\n')}\n`)
  return 0
}

async function listNames(terminal: Terminal): Promise<number> {
  const names = Object.keys(savedServers()).map((name) => `@${name}\n`)
  await write(terminal.stdout, names.join(''))
  return 0
}

/** What is saved; a password is not shown. */
function inWords({
  url: at,
  username,
  pw,
  pwFile,
  protocolVersion: version,
  id,
  proxy: by,
  ...more
}: SavedServer): string {
  const password =
    pw !== undefined
      ? ' (password saved)'
      : pwFile !== undefined
        ? ` (password in ${pwFile})`
        : username && ' (asks for the password)'
  return [
    at,
    ...(username === undefined ? [] : [`as ${username}${password}`]),
    ...(id === undefined ? [] : [`id ${id}`]),
    ...(version === undefined ? [] : [version]),
    ...(by === undefined ? [] : [`through ${by.replace(/\/\/[^@/]*@/, '//')}`]),
    ...Object.entries(more).map(([key, value]) => (value === true ? key : `${key} ${value}`)),
  ].join(', ')
}

async function remove(name: string | undefined, terminal: Terminal): Promise<number> {
  if (name === undefined) throw new CommandError('name the server; godwit server list shows them')
  savedServer(name)
  const { [name.replace(/^@/, '')]: _, ...left } = savedServers()
  saveServers(left)
  await write(terminal.stdout, `removed @${name.replace(/^@/, '')}\n`)
  return 0
}

function serverName(text: string): string {
  const name = text.replace(/^@/, '')
  if (/^[\w-]{1,64}$/.test(name) && name !== '__proto__') return name
  throw new InvalidArgumentError('it takes letters, digits, - and _.')
}

function url(text: string): string {
  const parsed = parseServerUrl(text, everyScheme)
  if (typeof parsed === 'string') throw new InvalidArgumentError(parsed)
  return text
}

/** Keeps the text of what can be read. */
function checked(read: (text: string) => unknown): (text: string) => string {
  return (text) => {
    read(text)
    return text
  }
}
