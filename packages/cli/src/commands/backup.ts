import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { BackupAnswer } from '../control/control-protocol.js'
import { bytes } from '../control/figures.js'
import { printableJson } from '../control/printable-json.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'backup',
  summary: 'Makes a running broker copy its data, without a pause.',
  examples: [['godwit backup'], ['godwit backup --data /var/lib/godwit'], ['godwit backup --json | jq -r .path']],
  notes: [
    'The broker writes the copy into backup.directory of its configuration: sessions, messages that wait, retained messages and wills, nothing of the configuration, no passwords and no keys. All that was acknowledged before is in it. Ctrl-C calls it off. godwit restore makes a data folder of it.',
  ],
}

interface Flags extends ControlFlags {
  readonly json?: true
}

export function backupLine(): CommandLine {
  return withControlOptions(commandLine(manual)).option('--json', 'print JSON: path and bytes')
}

/** `godwit backup`: a copy of what a running broker keeps. */
export async function backup(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<Flags>(backupLine(), args, terminal)
  if (flags === helped) return 0
  const made = await askOnce<BackupAnswer>(controlPathOf(flags), { request: 'backup' })
  const text = flags.json ? printableJson(made) : `made ${made.path}, ${bytes(made.bytes)}`
  await write(terminal.stdout, `${text}\n`)
  return 0
}
