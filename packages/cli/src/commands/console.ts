import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { ConsoleAnswer } from '../control/control-protocol.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'console',
  summary: 'Prints a link that logs a browser in to the console of a running broker.',
  examples: [['godwit console'], ['godwit console --data /var/lib/godwit']],
  notes: [
    'The link is good once, for five minutes, and makes an admin of whoever opens it: it is for you alone. Whoever may open the control socket may ask for one.',
  ],
}

export function consoleLine(): CommandLine {
  return withControlOptions(commandLine(manual))
}

/** `godwit console`: a login link. */
export async function console(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<ControlFlags>(consoleLine(), args, terminal)
  if (flags === helped) return 0
  const { link } = await askOnce<ConsoleAnswer>(controlPathOf(flags), { request: 'console' })
  await write(terminal.stdout, `${link}\n`)
  return 0
}
