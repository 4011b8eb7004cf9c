import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { UserAnswer, UsersAnswer } from '../control/control-protocol.js'
import { counted } from '../control/figures.js'
import { printableJson } from '../control/printable-json.js'
import { askPassword, isKeyboard, pipedPassword } from '../password-prompt.js'
import { type Terminal, write } from '../terminal.js'
import { printed } from '../text-log.js'

const actions = ['list', 'add', 'remove']

const manual: Manual = {
  name: 'users',
  summary: "Lists, adds and removes users of a running broker's password file.",
  examples: [
    ['godwit users'],
    ['godwit users add alice', 'asks for the password; a user that is there gets it anew'],
    ['godwit users add alice --stdin < secret', 'takes the first line of standard input'],
    ['godwit users remove alice', 'and disconnects the clients that came as alice'],
    ['godwit users --json | jq .[]'],
  ],
  notes: [
    'The broker edits the file itself: what it says has been done is in force. godwit passwd edits the file of a broker that is not running.',
  ],
  actions,
}

interface Flags extends ControlFlags {
  readonly json?: true
  readonly stdin?: true
}

export function usersLine(): CommandLine {
  return withControlOptions(commandLine(manual).usage('[options] [list | add <user> | remove <user>]'))
    .argument('[action]', 'list, add or remove (default: list)')
    .argument('[user]', 'the user name')
    .option('--stdin', 'take the password from standard input, its first line')
    .option('--json', 'of a list: print a JSON array')
}

/** `godwit users`: who may come in with a password. */
export async function users(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = usersLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [action = 'list', user] = command.args
  if (!actions.includes(action)) throw new CommandError(noAction('users', action, actions))
  if (action === 'list') return list(flags, terminal)
  if (user === undefined) throw new CommandError(`name the user: godwit users ${action} NAME`)
  const path = controlPathOf(flags)
  const answer =
    action === 'add'
      ? await askOnce<UserAnswer>(path, {
          request: 'set-user',
          user,
          password: await passwordOf(user, flags, terminal),
        })
      : await askOnce<UserAnswer>(path, { request: 'remove-user', user })
  await write(terminal.stdout, `${inWords(answer, printed(user))}\n`)
  return 0
}

async function list(flags: Flags, terminal: Terminal): Promise<number> {
  const { users: names } = await askOnce<UsersAnswer>(controlPathOf(flags), { request: 'users' })
  const text = flags.json ? `${printableJson(names)}\n` : names.map((name) => `${printed(name)}\n`).join('')
  await write(terminal.stdout, text)
  return 0
}

async function passwordOf(user: string, flags: Flags, terminal: Terminal): Promise<string> {
  const { stdin } = terminal
  if (flags.stdin) return pipedPassword(stdin)
  if (!isKeyboard(stdin)) throw new CommandError('there is nobody to ask for the password; use --stdin')
  const password = await askPassword(`Password of ${printed(user)}: `, stdin, terminal)
  if ((await askPassword('Once more: ', stdin, terminal)) === password) return password
  throw new CommandError('the two are not the same; nothing was changed')
}

function inWords({ done, disconnected }: UserAnswer, user: string): string {
  if (done === 'added') return `added ${user}`
  if (done === 'changed') return `changed the password of ${user}; who is connected stays so`
  return `removed ${user}${disconnected > 0 ? `, and disconnected ${counted(disconnected, 'client')}` : ''}`
}
