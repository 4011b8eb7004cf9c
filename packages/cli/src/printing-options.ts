import { InvalidArgumentError } from 'commander'
import { oneOf, seconds } from './argument-values.js'
import { type ColorChoice, isTerminal, paintFor } from './colors.js'
import { CommandError } from './command-error.js'
import type { CommandLine } from './manual.js'
import type { Narrator } from './narrator.js'
import { type OutputFormat, outputFormat, plainFormat, type Shown } from './output-format.js'
import { isBinary, type PayloadView, payloadView, terminalView, type ViewName, viewNames } from './payload-views.js'
import { escapedControls } from './safe-text.js'
import type { Terminal } from './terminal.js'

/** The flags that sub and rr have in common. */
export interface PrintingFlags {
  readonly verbose?: true
  readonly format?: string
  /** False with `-N`. */
  readonly newline: boolean
  readonly as?: ViewName
  readonly pretty?: true
  readonly color?: ColorChoice
  /** Seconds. */
  readonly timeout?: number
}

export function addPrintingOptions(command: CommandLine): CommandLine {
  return command
    .option('-v, --verbose', 'print the topic before each message')
    .option(
      '-F, --format <format>',
      'print as told: %t topic, %p payload, %x hex, %j JSON …, as in mosquitto_sub(1)',
      format,
    )
    .option(
      '--as <view>',
      `show payloads as ${viewNames.join(', ')} (default: as they are, and on a terminal as text or hex)`,
      oneOf(viewNames),
    )
    .option('--pretty', 'JSON on many lines, indented')
    .option('-N, --no-newline', 'end messages without a line feed')
    .option('-W, --timeout <seconds>', 'end after this time, with exit code 27', positiveSeconds)
}

/**
 * How to print, from the flags. On a terminal nothing of a message can move the cursor, and bytes that are no text are shown
 * as hex, unless `--as` says otherwise.
 * @throws CommandError for flags that do not go together.
 */
export async function formatOf(flags: PrintingFlags, narrator: Narrator, terminal: Terminal): Promise<OutputFormat> {
  const { verbose, format, newline, as, pretty = false } = flags
  if (pretty && !['json', 'msgpack', 'cbor'].includes(as ?? '') && !/%[-0-9.]*[jJ]/.test(format ?? '')) {
    throw new CommandError('--pretty is for JSON; add --as json, or --format %j')
  }
  const isSeen = isTerminal(terminal.stdout) && as !== 'raw'
  const shown =
    as === undefined
      ? isSeen
        ? withHint(narrator)
        : undefined
      : viewed(as, await payloadView(as, { pretty, isTerminal: isSeen }), narrator)
  const { cyan } = paintFor(terminal.stdout, flags.color)
  const topic = isSeen ? (name: string) => escapedControls(name).replace(/[\n\t]/g, ' ') : undefined
  const complain = (problem: string): void => narrator.warn(problem)
  if (format !== undefined) return outputFormat(format, { newline, complain, pretty, shown, topic })
  return plainFormat({ verbose: verbose === true, newline, shown, topic: topic && ((name) => cyan(topic(name))) })
}

function withHint(narrator: Narrator): (payload: Uint8Array) => string {
  let told = false
  return (payload) => {
    if (!told && isBinary(payload)) {
      told = true
      narrator.warn('bytes that are no text are shown as hex; --as raw prints them as they are')
    }
    return terminalView(payload)
  }
}

const kindNames: Readonly<Partial<Record<ViewName, string>>> = { json: 'JSON', msgpack: 'MessagePack', cbor: 'CBOR' }

function viewed(name: ViewName, view: PayloadView, narrator: Narrator): NonNullable<Shown['shown']> {
  return (payload, { topic }) => {
    const text = view(payload)
    if (text === undefined) {
      narrator.warn(`the message on '${topic}' is not ${kindNames[name]}; print it with --as text or --as hex`)
    }
    return text
  }
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
