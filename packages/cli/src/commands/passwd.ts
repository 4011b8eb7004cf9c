import { readFile } from 'node:fs/promises'
import { BrokerError } from '@godwit/broker'
import { hashPassword, type PasswordLine, parsePasswordLines } from '@godwit/broker/access'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { PasswordText, passwordProblem, userNameProblem } from '../editing/password-text.js'
import { replaceFile } from '../editing/replaced-file.js'
import { askPassword, isKeyboard, pipedPassword } from '../password-prompt.js'
import { systemProblem } from '../system-problem.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'passwd',
  summary: 'Creates, changes and checks a password file.',
  examples: [
    ['godwit passwd -c passwords alice', 'a new file with one user; a file of that name is replaced'],
    ['godwit passwd passwords bob', 'adds bob, or changes the password'],
    ['godwit passwd passwords bob --stdin < secret takes the first line of standard input'],
    ['godwit passwd -b passwords bob s3cret', 'the password can be seen by others on this machine while it runs'],
    ['godwit passwd -D passwords bob', 'deletes bob'],
    ['godwit passwd --check passwords bob', 'asks for the password, and says whether it is right'],
    ['godwit passwd --check passwords', 'says whether a broker can use the file'],
  ],
  notes: ['Passwords are kept as scrypt hashes. The file may hold lines of mosquitto_passwd too.'],
}

interface Flags {
  readonly create?: true
  readonly delete?: true
  readonly batch?: true
  readonly check?: true
  readonly stdin?: true
}

export function passwdLine(): CommandLine {
  return commandLine(manual)
    .usage('[options] <file> <user> [password]')
    .argument('<file>', 'the password file')
    .argument('[user]', 'the user name')
    .argument('[password]', 'the password, with --batch')
    .option('-c, --create', 'make a new file')
    .option('-D, --delete', 'delete the user')
    .option('-b, --batch', 'take the password from the command line')
    .option('--stdin', 'take the password from standard input, its first line')
    .option('--check', 'change nothing; say whether the password is right')
}

/** `godwit passwd`: the password file of a broker. */
export async function passwd(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = passwdLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [file = '', user, given] = command.args
  checkFlags(flags, user, given)
  const said = await act(flags, file, user, () => passwordFor(flags, user!, given, terminal))
  await write(terminal.stdout, `${said}\n`)
  return 0
}

/** @throws CommandError for flags that do not go together. */
function checkFlags(
  { create, delete: deletes, batch, check, stdin }: Flags,
  user: string | undefined,
  given: string | undefined,
): void {
  const fail = (problem: string): never => {
    throw new CommandError(`${problem}; see godwit passwd --help`)
  }
  if ([create, deletes, check].filter(Boolean).length > 1) fail('only one of --create, --delete and --check')
  if (batch && stdin) fail('only one of --batch and --stdin')
  if (user === undefined && !check) fail('name the user')
  if (batch && given === undefined) fail('--batch takes the password behind the user')
  if (!batch && given !== undefined) fail('a password on the command line needs --batch')
  const problem = user === undefined ? undefined : userNameProblem(user)
  if (problem !== undefined) fail(problem)
}

async function act(
  flags: Flags,
  path: string,
  user: string | undefined,
  password: () => Promise<string>,
): Promise<string> {
  const file = new PasswordText(flags.create ? '' : await textOf(path))
  const lines = await usable(file.text, path)
  if (user === undefined) return `${path} is right: ${lines.size} users`
  if (flags.check) {
    const isRight = await lines.get(user)?.hash.matches(Buffer.from(await password()))
    if (isRight !== true)
      throw new CommandError(`${path}: ${lines.has(user) ? 'the password is wrong' : `there is no user '${user}'`}`)
    return `${path}: the password of ${user} is right`
  }
  if (flags.delete) {
    if (!file.delete(user)) throw new CommandError(`${path}: there is no user '${user}'`)
    await written(path, file)
    return `${path}: deleted ${user}`
  }
  const done = file.set(user, await hashPassword(Buffer.from(await password())))
  await written(path, file)
  return `${path}: ${done} ${user}`
}

/** @throws CommandError */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new CommandError(`cannot read ${path}: ${systemProblem(error)}${isMissing ? '; -c makes a new one' : ''}`)
  }
}

/** Readable by its owner alone, whatever it was. */
async function written(path: string, { text }: PasswordText): Promise<void> {
  try {
    await replaceFile(path, text, { mode: 0o600 })
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${systemProblem(error)}; it is as it was`)
  }
}

/** @throws CommandError for a file that a broker would refuse. */
async function usable(text: string, path: string): Promise<ReadonlyMap<string, PasswordLine>> {
  try {
    return await parsePasswordLines(text, path)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}

async function passwordFor(flags: Flags, user: string, given: string | undefined, terminal: Terminal): Promise<string> {
  const password = given ?? (await askedOrPiped(flags, user, terminal))
  const problem = passwordProblem(password)
  if (problem !== undefined) throw new CommandError(problem)
  return password
}

async function askedOrPiped({ stdin: isPiped, check }: Flags, user: string, terminal: Terminal): Promise<string> {
  const { stdin } = terminal
  if (isPiped) return pipedPassword(stdin)
  if (!isKeyboard(stdin)) throw new CommandError('there is nobody to ask for the password; use --stdin or --batch')
  const password = await askPassword(`Password of ${user}: `, stdin, terminal)
  if (!check && (await askPassword('Once more: ', stdin, terminal)) !== password) {
    throw new CommandError('the two are not the same; nothing was changed')
  }
  return password
}
