import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { ReloadAnswer } from '../control/control-protocol.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'reload',
  summary: 'Makes a running broker read password file, access rules and certificates again.',
  examples: [
    ['godwit reload'],
    ['godwit reload --data /var/lib/godwit'],
    ['godwit reload --control /run/godwit/control.sock'],
  ],
  notes: [
    'The broker looks at its whole configuration first. Where anything is wrong, it says what, all stays as it was, and the exit code is 1. SIGHUP does the same, and tells in the log.',
  ],
}

export function reloadLine(): CommandLine {
  return withControlOptions(commandLine(manual))
}

/** `godwit reload`: a running broker reads password file, access rules and certificates again. */
export async function reload(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<ControlFlags>(reloadLine(), args, terminal)
  if (flags === helped) return 0
  const answer = await askOnce<ReloadAnswer>(controlPathOf(flags), { request: 'reload' })
  await write(terminal.stdout, inWords(answer))
  return 0
}

function inWords({ reloaded, needsRestart }: ReloadAnswer): string {
  const first =
    reloaded.length > 0
      ? `reloaded: ${reloaded.join(', ')}`
      : 'the configuration is right; nothing was reloaded, for it names no files to read again'
  return [first, ...needsRestart.map((name) => `${name}: needs a restart`)].map((line) => `${line}\n`).join('')
}
