import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { shortened } from '../control/columns.js'
import { ask, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import { LiveScreen } from '../control/live-screen.js'
import { printableJson } from '../control/printable-json.js'
import { topScreen } from '../control/top-screen.js'
import { perSecond, type TopSnapshot } from '../control/top-snapshot.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'top',
  summary: 'Shows live what a running broker does, and who keeps it busy.',
  examples: [
    ['godwit top'],
    ['godwit top --data /var/lib/godwit'],
    ['godwit top --once', 'prints it once, after a second of counting'],
    ['godwit top --json --once | jq .perSecond'],
  ],
  notes: [
    'q or Ctrl-C ends it. Topics and event loop are measured only while somebody looks. Where the output is no terminal it is printed once.',
  ],
}

interface Flags extends ControlFlags {
  readonly once?: true
  readonly json?: true
}

export function topLine(): CommandLine {
  return withControlOptions(commandLine(manual))
    .option('--once', 'print it once')
    .option('--json', 'print JSON: an object a second, or one with --once')
}

/** How wide and high it is where there is no terminal. */
const paper = { columns: 80, rows: 60 }

/** A snapshot, and the one before it. */
type Pair = readonly [before: TopSnapshot, now: TopSnapshot]

/** `godwit top`: what a running broker does, live. */
export async function top(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<Flags>(topLine(), args, terminal)
  if (flags === helped) return 0
  const path = controlPathOf(flags)
  const stopping = terminal.stopping()
  if (!flags.once && !flags.json && LiveScreen.isPossible(terminal)) return live(path, terminal, stopping)
  for await (const pair of pairs(path, stopping)) {
    const text = flags.json ? printableJson(withRates(pair)) : topScreen(...pair, paper).join('\n')
    if (!(await write(terminal.stdout, `${text}\n`))) return 0 // the reader has gone
    if (flags.once || !flags.json) return 0
  }
  return ended(stopping)
}

async function live(path: string, terminal: Terminal, stopping: AbortSignal): Promise<number> {
  const quit = new AbortController()
  const ending = AbortSignal.any([stopping, quit.signal])
  let pair: Pair | undefined
  let screen: LiveScreen | undefined
  const draw = (): void => {
    if (!pair || !screen) return
    const [first, ...rest] = topScreen(...pair, screen.size)
    screen.draw([shortened(`${first}   q ends it`, screen.size.columns), ...rest])
  }
  try {
    for await (const next of pairs(path, ending)) {
      pair = next
      screen ??= new LiveScreen(terminal, { onQuit: () => quit.abort(), onResize: draw }) // not before a broker answers
      draw()
    }
  } finally {
    screen?.close()
  }
  return ended(ending)
}

function ended(ending: AbortSignal): number {
  if (!ending.aborted) throw new CommandError('the broker has ended')
  return 0
}

async function* pairs(path: string, ending: AbortSignal): AsyncGenerator<Pair> {
  let before: TopSnapshot | undefined
  for await (const now of ask<TopSnapshot>(path, { request: 'top' }, ending)) {
    if (before) yield [before, now]
    before = now
  }
}

function withRates(pair: Pair): object {
  const [, now] = pair
  return { ...now, perSecond: perSecond(...pair) }
}
