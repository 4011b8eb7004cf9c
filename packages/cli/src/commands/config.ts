import { BrokerError, type Logger } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { exposedSecrets } from '../config/exposed-secrets.js'
import { brokerConfig, type ConfigFlags, withConfigOptions } from '../config/from-flags.js'
import { inPlace } from '../config/in-place.js'
import { printed } from '../config/print.js'
import type { Resolved } from '../config/resolve.js'
import { jsonSchema } from '../config/schema.js'
import { tryOut } from '../control/trial.js'
import { checkLogFile } from '../log-file.js'
import { type Terminal, write } from '../terminal.js'
import { configImport } from './config-import.js'

const manual: Manual = {
  name: 'config',
  summary: 'Checks a configuration of the broker, prints what holds (secrets are not shown), or its JSON Schema.',
  actions: ['check', 'print', 'schema', 'import'],
  examples: [
    ['godwit config check godwit.yaml', 'says what is wrong, with line and column; reads the files it names'],
    ['godwit config print godwit.yaml', 'what holds, and where each value comes from'],
    ['godwit config print > godwit.yaml', 'the defaults, as a file to begin with'],
    ['godwit config schema > godwit.schema.json', 'for editors'],
    ['godwit config import mosquitto.conf', 'the same for godwit; see godwit config import --help'],
  ],
  notes: ['With the flags of godwit broker, and the same environment.'],
}

type Action = (flags: ConfigFlags, terminal: Terminal) => string | Promise<string>

const actions: Readonly<Record<string, Action>> = {
  check: async (flags, terminal) => {
    const settings = brokerConfig(flags, process.env)
    const warnings: string[] = []
    await tried(settings, (warning) => warnings.push(warning))
    warnings.push(...(await warningsOfCluster(settings)))
    const { file } = settings.config.log
    if (file !== undefined) await inPlace(settings, ['log', 'file'], () => checkLogFile(file))
    for (const warning of [...warnings, ...exposedSecrets(settings)])
      await write(terminal.stderr, `warning: ${warning}\n`)
    return `${flags.config ?? 'the configuration'} is right\n`
  },
  print: (flags) => printed(brokerConfig(flags, process.env)),
  schema: () => `${JSON.stringify(jsonSchema(), undefined, 2)}\n`,
}

export function configLine(): CommandLine {
  return withConfigOptions(commandLine(manual))
    .usage('check|print|schema|import [options] [file]')
    .argument('[file]', 'the same as --config')
}

/** @throws CommandError for what a broker would not start with. */
async function tried(settings: Resolved, warn: (warning: string) => void): Promise<void> {
  const log: Logger = { log: (level, message) => (level === 'warn' ? warn(message) : undefined) }
  try {
    await tryOut(settings, [], log)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}

/** What NATS answers, where the broker is one of several. @throws CommandError */
async function warningsOfCluster(settings: Resolved): Promise<readonly string[]> {
  const { cluster } = settings.config
  if (!cluster) return []
  const { askEngine } = await import('../cluster/cluster-settings.js')
  return (await askEngine(settings, cluster)).warnings
}

/** `godwit config check|print|schema|import`: what a broker started with the same flags and environment would do. */
export async function config(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...rest] = args
  if (name === 'import') return configImport(rest, terminal)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  const command = configLine()
  if (!action && !name.startsWith('-'))
    throw new CommandError(noAction('config', name, [...Object.keys(actions), 'import']))
  const flags = parse<ConfigFlags>(command, action ? rest : args, terminal)
  if (flags === helped) return 0
  if (!action) throw new CommandError(noAction('config', '', [...Object.keys(actions), 'import']))
  const [file] = command.args
  if (file !== undefined && flags.config !== undefined) {
    throw new CommandError('name the file once; see godwit config --help')
  }
  await write(terminal.stdout, await action(file === undefined ? flags : { ...flags, config: file }, terminal))
  return 0
}
