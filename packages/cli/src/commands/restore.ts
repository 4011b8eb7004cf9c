import { BrokerError } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'restore',
  summary: 'Makes a data folder of a backup.',
  examples: [['godwit restore /var/backups/godwit/godwit-2026-11-30T07-44-56.789Z.backup /var/lib/godwit']],
  notes: [
    'The folder must not be there yet, or be empty: move the old one away first. The backup is looked through while it is copied, and one that is not as it was written is refused. Run it as the user who runs the broker, or give that user the folder afterwards. The exit code is 0 when the folder is made, 1 when it cannot be.',
  ],
}

export function restoreLine(): CommandLine {
  return commandLine(manual)
    .usage('[options] <backup file> <new folder>')
    .argument('<file>', 'the backup')
    .argument('<folder>', 'the data folder to be')
}

/** `godwit restore`: what `godwit backup` has made becomes a data folder. */
export async function restore(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = restoreLine()
  if (parse(command, args, terminal) === helped) return 0
  const [backup, folder] = command.args
  const { restoreBackup } = await import('@godwit/broker/store/lmdb')
  try {
    const { createdAt } = await restoreBackup(backup!, folder!)
    await write(terminal.stdout, `${folder} is as the broker's data was at ${createdAt}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}
