import { writeFileSync } from 'node:fs'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { importMosquitto, noteInWords } from '../config-import/mosquitto-import.js'
import { systemProblem } from '../system-problem.js'
import type { Terminal } from '../terminal.js'

const manual: Manual = {
  name: 'config import',
  summary: 'Translates a configuration of mosquitto, 1.6 to 2.1.',
  examples: [
    ['godwit config import /etc/mosquitto/mosquitto.conf -o godwit.yaml'],
    ['godwit config import mosquitto.conf --strict > godwit.yaml'],
  ],
  notes: [
    'The configuration goes to standard output, or into a new file. What cannot be translated is listed on standard error, line by line, with what to do instead; the exit code is 0 all the same, with --strict it is 1.',
  ],
}

interface Flags {
  readonly output?: string
  readonly strict?: true
}

export function configImportLine(): CommandLine {
  return commandLine(manual)
    .usage('[options] <mosquitto.conf>')
    .argument('<file>', 'mosquitto.conf; what its include_dir holds is read too')
    .option('-o, --output <file>', 'a new file for the configuration (default: standard output)')
    .option('--strict', 'exit with 1 when something could not be translated')
}

/** `godwit config import`: a mosquitto configuration in our form. */
export async function configImport(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = configImportLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const { yaml, untranslated } = importMosquitto(command.args[0]!)
  if (flags.output === undefined) terminal.stdout.write(yaml)
  else writeNew(flags.output, yaml)
  for (const note of untranslated) terminal.stderr.write(`not translated: ${noteInWords(note)}\n`)
  return flags.strict && untranslated.length > 0 ? 1 : 0
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw new CommandError(`cannot write ${file}: ${systemProblem(error)}; choose another with -o FILE`)
  }
}
