import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { type Step, stepsOf, take } from '../service/install.js'
import { isInHome, type ServiceSettings, usualService } from '../service/unit.js'
import { type Terminal, write } from '../terminal.js'

const manual: Manual = {
  name: 'service',
  summary: 'Makes a service of systemd out of the broker: it starts with the machine, as a user of its own.',
  examples: [
    ['godwit service install --dry-run', 'prints what it would do'],
    ['sudo godwit service install', 'then: systemctl enable --now godwit'],
    ['sudo godwit service install --user mqtt --data /srv/mqtt'],
    ['sudo godwit service install --name plant --config /etc/godwit/plant.yaml --data /var/lib/plant'],
  ],
  notes: [
    'It writes the unit with the path of this very command, makes the user where there is none, and a first configuration where there is none. What is there already stays, except the unit.',
  ],
  actions: ['install'],
}

interface Flags {
  readonly dryRun?: true
  readonly name: string
  readonly user: string
  readonly group?: string
  readonly data: string
  readonly config: string
}

export function serviceLine(): CommandLine {
  return commandLine(manual)
    .usage('install [options]')
    .option('--dry-run', 'change nothing; print what would be written and run')
    .option('--user <name>', 'who runs it (default: godwit)', plainName, usualService.user)
    .option('--group <name>', 'its group (default: that of the same name)', plainName)
    .option('--data <folder>', 'where it keeps its data (default: /var/lib/godwit)', absolute, usualService.data)
    .option('--config <file>', 'its configuration (default: /etc/godwit/godwit.yaml)', absolute, usualService.config)
    .option('--name <name>', 'of the service (default: godwit)', plainName, usualService.name)
}

/** `godwit service install`. */
export async function service(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action = '', ...rest] = args
  const isInstall = action === 'install'
  if (!isInstall && !action.startsWith('-')) throw new CommandError(noAction('service', action, ['install']))
  const flags = parse<Flags>(serviceLine(), isInstall ? rest : args, terminal)
  if (flags === helped) return 0
  if (!isInstall) throw new CommandError(noAction('service', '', ['install']))
  if (process.platform !== 'linux') {
    throw new CommandError('systemd is of Linux; what other systems have instead is in docs/operating.md')
  }
  const { name, user, group = user, data, config } = flags
  const settings = { name, user, group, data, config, command: commandOf(process.argv[1]) }
  const steps = stepsOf(settings)
  if (flags.dryRun) {
    await write(terminal.stdout, steps.map(inWords).join('\n'))
    warn(settings, terminal)
    return 0
  }
  if (process.getuid?.() !== 0) {
    throw new CommandError('this needs root: sudo godwit service install; --dry-run prints what it would do')
  }
  for (const step of steps) take(step)
  warn(settings, terminal)
  await write(
    terminal.stdout,
    `installed /etc/systemd/system/${name}.service; start it now and with the machine: systemctl enable --now ${name}\n`,
  )
  return 0
}

/**
 * Node and the script, as absolute paths: what npm puts into a folder of commands asks the PATH for Node, and that of systemd
 * does not have what nvm, fnm or a prefix of npm's have added to somebody's own.
 */
function commandOf(script: string | undefined): readonly string[] {
  if (script === undefined) throw new CommandError('this process does not know where its command stands')
  return [realpathSync(process.execPath), realpathSync(script)]
}

function warn(settings: ServiceSettings, terminal: Terminal): void {
  const tell = (text: string): void => void terminal.stderr.write(`godwit service: ${text}\n`)
  const own = settings.command.find((path) => /^\/(root|home)\//.test(path))
  if (own !== undefined) {
    tell(
      `${own} is in somebody's home folder, where the user ${settings.user} may not get to it; install Node and godwit for all: npm install --global godwit with a prefix such as /usr/local`,
    )
  } else if (isInHome(settings)) tell('a home folder is used, so the unit lets the service read those')
  const npx = settings.command.find((path) => path.includes('/_npx/'))
  if (npx !== undefined) tell(`${npx} is npx's own copy, which npm may delete; npm install --global godwit keeps one`)
}

function inWords(step: Step): string {
  if (step.kind === 'run') return `# run: ${step.command.join(' ')}\n`
  const { path, mode, text, group } = step
  return `# write: ${path} (mode 0${mode.toString(8)}${group === undefined ? '' : `, group ${group}`})\n${text}`
}

function plainName(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,30}$/.test(text)) return text
  throw new InvalidArgumentError('it takes a name of lower-case letters, digits, - and _.')
}

function absolute(text: string): string {
  if (text !== '') return resolve(text)
  throw new InvalidArgumentError('it takes a path.')
}
