import type { TraceEvent } from '@godwit/broker'
import { topicFilter } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { ask, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { Missed, TraceBegun } from '../control/control-protocol.js'
import { printableJson } from '../control/printable-json.js'
import { traceLine } from '../control/trace-line.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'trace',
  summary: 'Shows the packets of a client or a topic, as they come and go.',
  examples: [
    ['godwit trace --client thermostat-1'],
    ["godwit trace --topic 'home/+/alarm'"],
    ["godwit trace --client app --topic 'home/#' --json"],
  ],
  notes: [
    'Prints a line a packet until Ctrl-C: → is what the client sends, ← what it is sent. Payloads and passwords are never shown. Packets that come faster than they are printed are counted, and the rest of the broker is not slowed.',
  ],
}

interface Flags extends ControlFlags {
  readonly client?: string
  readonly topic?: string
  readonly json?: true
}

export function traceCommandLine(): CommandLine {
  return withControlOptions(commandLine(manual))
    .option('--client <id>', 'of the client of this Client Identifier, connected or still to come')
    .option('--topic <filter>', 'PUBLISH packets of topics that match', topicFilter)
    .option('--json', 'each as a JSON object')
}

/** `godwit trace`: the packets of a client or a topic, as they come and go. */
export async function trace(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<Flags>(traceCommandLine(), args, terminal)
  if (flags === helped) return 0
  const { client, topic, json } = flags
  if (client === undefined && topic === undefined) {
    throw new CommandError('say which packets, with --client ID or --topic FILTER; see godwit trace --help')
  }
  const tell = (text: string): void => void terminal.stderr.write(`godwit trace: ${text}\n`)
  const stopping = terminal.stopping()
  let missed = 0
  const request = { request: 'trace', client, topic } as const
  for await (const answer of ask<TraceEvent | TraceBegun | Missed>(controlPathOf(flags), request, stopping)) {
    if ('tracing' in answer) {
      tell('begun; Ctrl-C ends it')
      continue
    }
    if ('missed' in answer) missed += answer.missed
    const line = json ? printableJson(answer) : 'missed' in answer ? missedLine(answer) : traceLine(answer)
    if (!(await write(terminal.stdout, `${line}\n`))) return 0 // the reader has gone
  }
  if (missed > 0) tell(`${missed} packets were missed: they came faster than they were printed`)
  if (!stopping.aborted) throw new CommandError('the broker has ended')
  return 0
}

function missedLine({ missed }: Missed): string {
  return `             … ${missed} more, not shown: they came too fast`
}
