import { type Command, InvalidArgumentError } from 'commander'
import { seconds } from './argument-values.js'
import type { Narrator } from './narrator.js'
import { type OutputFormat, outputFormat, plainFormat } from './output-format.js'

/** The flags that sub and rr have in common. */
export interface PrintingFlags {
  readonly verbose?: true
  readonly format?: string
  /** False with `-N`. */
  readonly newline: boolean
  /** Seconds. */
  readonly timeout?: number
}

export function addPrintingOptions(command: Command): Command {
  return command
    .option('-v, --verbose', 'print the topic before each message')
    .option(
      '-F, --format <format>',
      'print as told: %t topic, %p payload, %x hex, %j JSON …, as in mosquitto_sub(1)',
      format,
    )
    .option('-N, --no-newline', 'end messages without a line feed')
    .option('-W, --timeout <seconds>', 'end after this time, with exit code 27', positiveSeconds)
}

/** How to print, from the flags. */
export function formatOf({ verbose, format, newline }: PrintingFlags, narrator: Narrator): OutputFormat {
  if (format !== undefined) return outputFormat(format, { newline, complain: (problem) => narrator.warn(problem) })
  return plainFormat({ verbose: verbose === true, newline })
}

/** Refuses what cannot be printed before anything is connected. */
function format(text: string): string {
  try {
    outputFormat(text, { newline: true, complain: () => {} })
    return text
  } catch (error) {
    throw new InvalidArgumentError(`${(error as RangeError).message}.`)
  }
}

function positiveSeconds(text: string): number {
  const value = seconds(text)
  if (value > 0) return value
  throw new InvalidArgumentError('it takes more than 0 seconds.')
}
