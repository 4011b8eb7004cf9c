import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { ReloadAnswer } from '../control/control-protocol.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'reload',
  summary: 'Makes a running broker take up its configuration and the files it names.',
  examples: [
    ['godwit reload'],
    ['godwit reload --data /var/lib/godwit'],
    ['godwit reload --control /run/godwit/control.sock'],
    ['godwit reload --json', 'for programs: {"reloaded":[…],"needsRestart":[…]}'],
  ],
  notes: [
    'The broker looks at its whole configuration first. Where anything is wrong, it says what, all stays as it was, and the exit code is 1. What it takes up, and what needs a restart, is told by line. SIGHUP does the same, and tells in the log. docs/configuration.md says which settings are taken up.',
  ],
}

export function reloadLine(): CommandLine {
  return withControlOptions(commandLine(manual)).option('--json', 'print JSON: one object')
}

/** `godwit reload`: a running broker takes up its configuration, and reads password file, access rules and certificates again. */
export async function reload(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<ControlFlags & { readonly json?: true }>(reloadLine(), args, terminal)
  if (flags === helped) return 0
  const answer = await askOnce<ReloadAnswer>(controlPathOf(flags), { request: 'reload' })
  await write(terminal.stdout, flags.json ? asJson(answer) : inWords(answer))
  return 0
}

function inWords({ reloaded, needsRestart }: ReloadAnswer): string {
  const lines = [
    ...reloaded.map((what) => `reloaded: ${what}`),
    ...needsRestart.map((name) => `${name}: needs a restart`),
  ]
  if (lines.length === 0) return 'the configuration is right, and as it was; it names no files to read again\n'
  return lines.map((line) => `${line}\n`).join('')
}

function asJson({ reloaded, needsRestart }: ReloadAnswer): string {
  return `${JSON.stringify({ reloaded, needsRestart })}\n`
}
