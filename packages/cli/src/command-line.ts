import { nearest } from '@godwit/protocol'
import { type Command, CommanderError } from 'commander'
import { oneOf } from './argument-values.js'
import { type ColorChoice, colorChoices, columnsOf, paintFor } from './colors.js'
import { CommandError } from './command-error.js'
import { helpText } from './help-text.js'
import { CommandLine, type Manual } from './manual.js'
import { joinPropertyWords } from './packet-properties.js'
import type { Terminal } from './terminal.js'
import { version } from './version.js'

export { CommandLine, type Manual } from './manual.js'

/** What parsing gives when the command has done its work by printing its help. */
export const helped: unique symbol = Symbol('helped')

/** A command line without options of its own yet. */
export function commandLine(manual: Manual): CommandLine {
  return new CommandLine(manual)
    .description(manual.summary)
    .usage('[options]')
    .helpOption('-h, --help', 'print this')
    .version(`godwit ${version}`, '--version', 'print the version')
    .option('--color <when>', `${colorChoices.join(', ')}: whether to use colours (default: auto)`, oneOf(colorChoices))
    .exitOverride()
}

/**
 * Reads arguments.
 * @returns The option values, or {@link helped}.
 * @throws CommandError for what the command line does not take.
 */
export function parse<Options extends object>(
  command: CommandLine,
  args: readonly string[],
  terminal: Terminal,
): Options | typeof helped {
  command.configureOutput({
    writeOut: (text) => void terminal.stdout.write(text),
    getOutHasColors: () => true, // it would take out colours that `--color` asks for
    writeErr: () => {}, // the error comes back as CommanderError, and is told once, by run()
  })
  command.configureHelp({
    formatHelp: () => {
      const { color } = command.opts<{ color?: ColorChoice }>()
      return helpText(command, { columns: columnsOf(terminal.stdout), paint: paintFor(terminal.stdout, color) })
    },
  })
  try {
    command.parse(joinPropertyWords(command, asksForHelp(command, args) ? ['--help'] : args), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return helped
    const problem = problemOf(error, command)
    throw new CommandError(`${problem}${problem.endsWith('?') ? ' See' : '; see'} ${command.name()} --help`)
  }
  return command.opts<Options>()
}

/** `godwit sub -h`: where -h is the host, too, it can only mean help when nothing else is said. */
function asksForHelp(command: Command, args: readonly string[]): boolean {
  return args.length === 1 && args[0] === '-h' && command.options.some(({ short }) => short === '-h')
}

/** Commander's message as a part of our one line. */
function problemOf(error: CommanderError, command: Command): string {
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
  const [, unknown] = /^unknown option '(.*?)'/.exec(text) ?? []
  if (unknown !== undefined) return unknownOption(unknown, command)
  const [, flags = '', value, takes] =
    /^option '(.+?)' argument (?:'(.*)' is invalid\. (.*)|missing)$/s.exec(text) ?? []
  const option = /--[\w-]+/.exec(flags)?.[0]
  const [, word, argument, wants] =
    /^command-argument value '(.*)' is invalid for argument '(.+?)'\. (.*)$/s.exec(text) ?? []
  if (word !== undefined && argument === 'server') {
    return `'${shortened(word)}' belongs to no option, and names no server (@NAME or a URL); quote values with spaces`
  }
  if (word !== undefined) return `${argument} is '${shortened(word)}'; ${wants}`
  if (option !== undefined) {
    return value === undefined ? `${option} needs a value` : `${option} is '${shortened(value)}'; ${takes}`
  }
  if (error.code === 'commander.excessArguments')
    return 'there are words that belong to no option; quote values with spaces'
  return text
}

function unknownOption(given: string, command: Command): string {
  const problem = `there is no option '${shortened(given)}'`
  const longs = [...command.options.flatMap(({ long }) => long ?? []), '--help']
  // One dash too few, as in -port: `--port` may have been meant as well.
  const meant = given.length > 2 ? nearest(given, longs) : undefined
  return meant === undefined ? problem : `${problem}; did you mean ${meant}?`
}

/** What to say where a command takes one of several words first, and has got another or none. */
export function noAction(command: string, typed: string, actions: readonly string[]): string {
  const meant = typed === '' ? undefined : nearest(typed, actions)
  const takes = actions.length === 1 ? actions[0] : `${actions.slice(0, -1).join(', ')} or ${actions.at(-1)}`
  const given = typed === '' ? '' : `, not '${shortened(typed)}'`
  return `${command} takes ${takes}${given}${meant === undefined ? '; see' : `; did you mean ${meant}? See`} godwit ${command} --help`
}

function shortened(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value
}
