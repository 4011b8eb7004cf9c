import { Help, type Option } from 'commander'
import type { Paint } from './colors.js'
import type { CommandLine } from './manual.js'
import { listed, type Row, wrapped } from './wrapping.js'

interface HelpOptions {
  readonly columns: number
  readonly paint: Paint
}

/** Longer lines are hard to read, however wide the terminal. */
const mostColumns = 110

/** What `--help` prints of one command: no line is wider than the terminal. */
export function helpText(command: CommandLine, options: HelpOptions): string {
  const columns = Math.max(20, Math.min(options.columns, mostColumns))
  const { bold, cyan } = options.paint
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length > 0 ? ['', bold(`${title}:`), ...lines] : []
  const { summary, examples, notes = [], lists = [] } = command.manual
  const { args, flags } = termsOf(command)
  const usage = wrapped(`Usage: ${command.name()} ${command.usage()}`, columns - 2)
  return [
    ...usage.map((line, at) => (at === 0 ? line.replace('Usage:', bold('Usage:')) : `  ${line}`)),
    '',
    ...wrapped(summary, columns),
    ...section('Arguments', listed(args, { columns, term: cyan })),
    ...section('Options', listed(flags, { columns, term: cyan })),
    ...section('Examples', listed(examples, { columns, mostTerm: 58, continued: ' \\' })),
    ...lists.flatMap(({ title, rows }) => section(title, listed(rows, { columns, term: cyan }))),
    ...notes.flatMap((note) => ['', ...wrapped(note, columns)]),
    '',
  ].join('\n')
}

/** The arguments and options of a command as people are shown them. */
export function termsOf(command: CommandLine): { readonly args: readonly Row[]; readonly flags: readonly Row[] } {
  const helper = new Help()
  return {
    args: helper
      .visibleArguments(command)
      .map((argument) => [helper.argumentTerm(argument), helper.argumentDescription(argument)]),
    flags: [...helper.visibleOptions(command)].sort(byPlace).map((option) => {
      const { description, defaultValue } = option
      // 0, '' and false say nothing that the description does not.
      const isTold = typeof defaultValue === 'number' && !description.includes('default')
      return [helper.optionTerm(option), isTold ? `${description} (default: ${defaultValue})` : description]
    }),
  }
}

/** What every command has comes last. */
function byPlace(one: Option, other: Option): number {
  return common.indexOf(one.long ?? '') - common.indexOf(other.long ?? '')
}

const common = ['--color', '--version', '--help']
