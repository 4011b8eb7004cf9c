import { Command, CommanderError } from 'commander'
import { CommandError } from './command-error.js'
import { joinPropertyWords } from './packet-properties.js'
import type { Terminal } from './terminal.js'
import { version } from './version.js'

/** What parsing gives when the command has done its work by printing its help. */
export const helped: unique symbol = Symbol('helped')

/** A command line without options yet. `-h` is free: it names the host. */
export function commandLine(name: string, summary: string, examples: string): Command {
  return new Command(`godwit ${name}`)
    .description(summary)
    .usage('[options]')
    .helpOption('--help', 'print this')
    .version(`godwit ${version}`, '--version', 'print the version')
    .addHelpText('after', `\nExamples:\n${examples}`)
    .exitOverride()
}

/**
 * Reads arguments.
 * @returns The option values, or {@link helped}.
 * @throws CommandError for what the command line does not take.
 */
export function parse<Options extends object>(
  command: Command,
  args: readonly string[],
  terminal: Terminal,
): Options | typeof helped {
  command.configureOutput({
    writeOut: (text) => void terminal.stdout.write(text),
    writeErr: () => {}, // the error comes back as CommanderError, and is told once, by run()
  })
  try {
    command.parse(joinPropertyWords(command, args), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return helped
    throw new CommandError(`${problemOf(error)}; see ${command.name()} --help`)
  }
  return command.opts<Options>()
}

/** Commander's message as a part of our one line. */
function problemOf(error: CommanderError): string {
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '')
  const [, flags = '', value, takes] =
    /^option '(.+?)' argument (?:'(.*)' is invalid\. (.*)|missing)$/s.exec(text) ?? []
  const option = /--[\w-]+/.exec(flags)?.[0]
  const [, word, argument, wants] =
    /^command-argument value '(.*)' is invalid for argument '(.+?)'\. (.*)$/s.exec(text) ?? []
  if (word !== undefined) return `${argument} is '${shortened(word)}'; ${wants}`
  if (option !== undefined)
    return value === undefined ? `${option} needs a value` : `${option} is '${shortened(value)}'; ${takes}`
  if (error.code === 'commander.excessArguments')
    return 'there are words that belong to no option; quote values with spaces'
  return text
}

function shortened(value: string): string {
  return value.length > 100 ? `${value.slice(0, 100)}…` : value
}
