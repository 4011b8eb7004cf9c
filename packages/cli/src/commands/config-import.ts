import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { type Imported, importMosquitto, noteInWords } from '../config-import/mosquitto-import.js'
import { systemProblem } from '../system-problem.js'
import type { Terminal } from '../terminal.js'

const manual: Manual = {
  name: 'config import',
  summary: 'Translates a configuration of mosquitto, 1.6 to 2.1.',
  examples: [
    ['godwit config import /etc/mosquitto/mosquitto.conf -o godwit.yaml'],
    ['godwit config import mosquitto.conf --strict > godwit.yaml'],
    ['godwit config import dynamic-security.json -o godwit.yaml', 'users into godwit.passwords, roles into rules'],
  ],
  notes: [
    'The configuration goes to standard output, or into a new file. What cannot be translated is listed on standard error, line by line, with what to do instead; the exit code is 0 all the same, with --strict it is 1. A file that mosquitto itself would not start with is refused: its lines are listed, nothing is written, and the exit code is 1.',
    'The file is read as mosquitto 2.0 reads it; lines that begin with "note:" say where 2.1 differs.',
  ],
}

interface Flags {
  readonly output?: string
  readonly passwords?: string
  readonly strict?: true
}

export function configImportLine(): CommandLine {
  return commandLine(manual)
    .usage('[options] <mosquitto.conf | dynamic-security.json>')
    .argument('<file>', 'mosquitto.conf, with what its include_dir holds; or the file of its dynamic security plugin')
    .option('-o, --output <file>', 'a new file for the configuration (default: standard output)')
    .option(
      '--passwords <file>',
      'a new password file for the users of dynamic-security.json, with the passwords of bridges beside it (default: beside --output, as godwit.passwords)',
    )
    .option('--strict', 'exit with 1 when something could not be translated')
}

/** `godwit config import`: a mosquitto configuration in our form. */
export async function configImport(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = configImportLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [file] = command.args
  const given = flags.passwords ?? besideOutput(flags.output)
  const passwordFile = given === undefined ? undefined : resolve(given)
  const imported = importMosquitto(file!, passwordFile === undefined ? {} : { passwords: passwordFile })
  const { refused, untranslated, remarks } = imported
  for (const note of refused) terminal.stderr.write(`refused: ${noteInWords(note)}\n`)
  if (refused.length > 0) {
    const lines = refused.length === 1 ? 'one line' : `${refused.length} lines`
    throw new CommandError(`${lines} of ${file} cannot be taken; nothing is written`)
  }
  writeAll(imported, flags, passwordFile, terminal)
  for (const note of untranslated) terminal.stderr.write(`not translated: ${noteInWords(note)}\n`)
  for (const note of remarks) terminal.stderr.write(`note: ${noteInWords(note)}\n`)
  const left = passwordFile === undefined ? secretsOf(imported) : undefined
  if (left) terminal.stderr.write(`not translated: ${left}: with -o FILE or --passwords FILE they are written\n`)
  return flags.strict && (untranslated.length > 0 || left) ? 1 : 0
}

function writeAll(imported: Imported, { output }: Flags, passwordFile: string | undefined, { stdout }: Terminal): void {
  const { yaml, passwords, secrets } = imported
  if (passwordFile !== undefined) {
    if (passwords !== undefined) writeNew(passwordFile, passwords, '--passwords', 0o600)
    for (const [path, text] of secrets) writeNew(path, text, '--passwords', 0o600)
  }
  if (output === undefined) stdout.write(yaml)
  else writeNew(output, yaml, '-o', 0o666)
}

/** What goes into files of its own. */
function secretsOf({ passwords, secrets }: Imported): string | undefined {
  if (passwords !== undefined) return 'users and their passwords'
  return secrets.size > 0 ? 'the passwords of bridges' : undefined
}

/** `/etc/godwit/godwit.yaml`: `/etc/godwit/godwit.passwords`. */
function besideOutput(output: string | undefined): string | undefined {
  return output?.replace(/(\.(ya?ml|json))?$/, '.passwords')
}

function writeNew(file: string, text: string, flag: string, mode: number): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode })
  } catch (error) {
    throw new CommandError(`cannot write ${file}: ${systemProblem(error)}; choose another with ${flag} FILE`)
  }
}
