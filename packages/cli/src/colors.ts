import type { Writable } from 'node:stream'
import pc from 'picocolors'

/** What `--color` takes. */
export const colorChoices = ['auto', 'always', 'never'] as const
export type ColorChoice = (typeof colorChoices)[number]

/** Colours a text, or leaves it as it is. */
export type Paint = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'isColorSupported'
>

/** What stands on a stream: colours on a terminal, unless `--color`, NO_COLOR (no-color.org) or FORCE_COLOR say otherwise. */
export function paintFor(
  stream: Writable,
  choice: ColorChoice = 'auto',
  environment: NodeJS.ProcessEnv = process.env,
): Paint {
  return pc.createColors(choice === 'auto' ? suits(stream, environment) : choice === 'always')
}

function suits(stream: Writable, { NO_COLOR = '', FORCE_COLOR = '', TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR !== '') return false
  if (FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return isTerminal(stream) && TERM !== 'dumb'
}

/** Whether somebody looks at what is written there. */
export function isTerminal(stream: Writable): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}

/** How many columns there are; 80 where nobody says. */
export function columnsOf(stream: Writable): number {
  return 'columns' in stream && typeof stream.columns === 'number' && stream.columns > 0 ? stream.columns : 80
}

/** What `--color` says, of arguments that nobody has read yet: for failures that come before they are. */
export function colorChoiceIn(args: readonly string[]): ColorChoice | undefined {
  const at = args.findIndex((word) => word === '--color' || word.startsWith('--color='))
  const said = at < 0 ? undefined : (args[at]?.split('=')[1] ?? args[at + 1])
  return colorChoices.find((choice) => choice === said)
}
