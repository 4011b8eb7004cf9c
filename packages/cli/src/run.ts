import { nearest } from '@godwit/protocol'
import { colorChoiceIn, columnsOf, type Paint, paintFor } from './colors.js'
import { CommandError } from './command-error.js'
import { commandNamed, commands } from './commands.js'
import { isOutOfFiles, systemProblem } from './system-problem.js'
import type { Terminal } from './terminal.js'
import { version } from './version.js'
import { listed, wrapped } from './wrapping.js'

const helpWords: readonly unknown[] = [undefined, '--help', '-h', 'help', '-?']
const versionWords: readonly unknown[] = ['--version', '-v', '-V', 'version']

/**
 * Runs the command named by the first argument.
 * @returns The exit code; failures have been told on `stderr`, each in one line.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, second, ...others] = args
  // godwit help sub is godwit sub --help; godwit help config import as well.
  if (name === 'help' && second !== undefined && !second.startsWith('-')) {
    return run([second, ...others, '--help'], terminal)
  }
  try {
    const isColor = name === '--color' || name?.startsWith('--color=')
    if (isColor || helpWords.includes(name)) {
      const paint = paintFor(terminal.stdout, colorChoiceIn(args))
      terminal.stdout.write(help(Math.min(columnsOf(terminal.stdout), 100), paint))
      return 0
    }
    if (versionWords.includes(name)) {
      terminal.stdout.write(`godwit ${version}\n`)
      return 0
    }
    const entry = commandNamed(name)
    if (!entry) throw new CommandError(noCommand(name!))
    const { run: command } = await entry.load()
    return await command(args.slice(1), terminal)
  } catch (error) {
    const paint = paintFor(terminal.stderr, colorChoiceIn(args))
    for (const problem of problemsOf(error)) terminal.stderr.write(`${failureLine(name, problem, paint)}\n`)
    return error instanceof CommandError ? error.exitCode : 1
  }
}

function noCommand(name: string): string {
  const problem = `there is no command '${name}'`
  if (name.startsWith('-')) return `${problem}; a command comes first, as in godwit sub ${name} …: see godwit --help`
  const synonyms = Object.entries(commands).map(([command, { alike = [] }]) => ({ command, alike }))
  const meant =
    synonyms.find(({ alike }) => alike.includes(name.toLowerCase()))?.command ??
    nearest(name, Object.keys(commands)) ??
    synonyms.find(({ alike }) => nearest(name, alike))?.command
  return meant === undefined
    ? `${problem}; see godwit --help`
    : `${problem}; did you mean godwit ${meant}? See godwit --help`
}

/** Several mistakes in one file are told together. */
function problemsOf(error: unknown): readonly unknown[] {
  return error instanceof CommandError ? error.problems : [error]
}

/** A failure as the one line that people see. */
export function failureLine(name: string | undefined, error: unknown, paint: Paint = plain): string {
  const command = commandNamed(name) ? `godwit ${name}` : 'godwit'
  return `${paint.red(`${command}:`)} ${oneLine(messageOf(error))}`
}

function messageOf(error: unknown): string {
  if (error instanceof CommandError) return error.message
  if (isOutOfFiles(error)) return systemProblem(error)
  if (!(error instanceof Error)) return `unexpected failure: ${String(error)}; please report it`
  const where = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))
  return `unexpected ${error.name}: ${error.message}${where ? ` (${where.trim()})` : ''}; please report it`
}

/** Whatever a message quotes, it stays one line and cannot move the cursor. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

const plain = paintFor(process.stderr, 'never')

function help(columns: number, { bold, cyan }: Paint): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const)
  const more =
    'godwit help <command> tells more, with examples. godwit version prints the version. Colours: --color, NO_COLOR.'
  return [
    ...wrapped(`godwit ${version}: MQTT 5.0 and 3.1.1 at the command line`, columns),
    '',
    `${bold('Usage:')} godwit <command> [options]`,
    '',
    ...listed(rows, { columns, term: cyan }),
    '',
    ...wrapped(more, columns),
    '',
  ].join('\n')
}
