import { CommandError } from '../command-error.js'
import { commandLine, helped, parse } from '../command-line.js'
import { brokerConfig, type ConfigFlags, withConfigOptions } from '../config/from-flags.js'
import { printed } from '../config/print.js'
import { jsonSchema } from '../config/schema.js'
import type { Terminal } from '../terminal.js'

const examples = `  godwit config check --config godwit.yaml       says what is wrong, with line and column
  godwit config print --config godwit.yaml       what holds, and where each value comes from
  godwit config print > godwit.yaml              the defaults, as a file to begin with
  godwit config schema > godwit.schema.json      for editors

With the flags of godwit broker, and the same environment.
`

type Action = (flags: ConfigFlags) => string

const actions: Readonly<Record<string, Action>> = {
  check: (flags) => {
    brokerConfig(flags, process.env)
    return `${flags.config ?? 'the configuration'} is right\n`
  },
  print: (flags) => printed(brokerConfig(flags, process.env)),
  schema: () => `${JSON.stringify(jsonSchema(), undefined, 2)}\n`,
}

/** `godwit config check|print|schema`: what a broker started with the same flags and environment would do. */
export async function config(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...rest] = args
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  const command = withConfigOptions(
    commandLine(
      'config check|print|schema',
      'Checks a configuration of the broker, prints what holds (secrets are not shown), or its JSON Schema.',
      examples,
    ),
  )
  const flags = parse<ConfigFlags>(command, action ? rest : args.filter((word) => word === '--help'), terminal)
  if (flags === helped) return 0
  if (!action) throw new CommandError(`config takes ${Object.keys(actions).join(', ')}; see godwit config --help`)
  terminal.stdout.write(action(flags))
  return 0
}
