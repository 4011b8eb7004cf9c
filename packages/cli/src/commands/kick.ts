import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { KickAnswer } from '../control/control-protocol.js'
import { type Terminal, write } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'kick',
  summary: 'Disconnects a client of a running broker.',
  examples: [
    ['godwit kick lamp'],
    ['godwit kick lamp --end-session', 'ends its session too, with all that waits for it'],
  ],
  notes: [
    'It may come again at once: remove its user, or write a rule, to keep it out. Its will is published. The exit code is 1 when there is no such client, or with --end-session no such session.',
  ],
}

interface Flags extends ControlFlags {
  readonly endSession?: true
}

export function kickLine(): CommandLine {
  return withControlOptions(commandLine(manual).usage('[options] <client>'))
    .argument('<client>', 'the Client Identifier')
    .option('--end-session', 'end its session too, also where it is not connected')
}

/** `godwit kick`: ends a connection, or a session. */
export async function kick(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = kickLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [client = ''] = command.args
  const endSession = flags.endSession === true
  const { disconnected, ended } = await askOnce<KickAnswer>(controlPathOf(flags), {
    request: 'kick',
    client,
    endSession,
  })
  const who = printed(client)
  if (!disconnected && !ended) {
    throw new CommandError(`no client ${who} is connected${endSession ? ', and it has no session' : ''}`)
  }
  const done = [...(disconnected ? [`disconnected ${who}`] : []), ...(ended ? [`ended the session of ${who}`] : [])]
  await write(terminal.stdout, `${done.join(', ')}\n`)
  return 0
}
