import { BrokerError } from '@godwit/broker'
import { type AccessAction, type AccessRule, accessRules } from '@godwit/broker/access'
import { isTopicFilter, isTopicName, splitShared } from '@godwit/protocol'
import { InvalidArgumentError } from 'commander'
import { wholeNumber } from '../argument-values.js'
import { rulesIn } from '../broker-access.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { brokerConfig } from '../config/from-flags.js'
import { type Terminal, write } from '../terminal.js'
import { readAccessRules } from './acl-file.js'

const manual: Manual = {
  name: 'acl explain',
  summary: 'Says which access rule decides.',
  examples: [
    ['godwit acl explain --config godwit.yaml --user alice --publish home/alice/lamp'],
    ['godwit acl explain --acl rules.yaml --user alice --client c1 --publish home/alice/lamp'],
    ["godwit acl explain --acl /etc/mosquitto/acl --user alice --subscribe 'home/#'"],
    ['godwit acl explain --acl rules.yaml --user alice --claim site=berlin --receive berlin/door'],
  ],
  notes: [
    "Prints the rule that decides, by the engine the broker uses. The exit code is 0 when it is allowed, 1 when it is not. Without --acl the rules are those of the configuration: of --config, and of GODWIT_ACL__… as a broker would take them. A file of --acl that ends in .yaml, .yml or .json holds rules in godwit's form, any other is mosquitto's acl_file.",
  ],
}

interface Flags {
  readonly acl?: string
  readonly config?: string
  readonly listener?: number
  readonly user?: string
  readonly client: string
  readonly claim?: Readonly<Record<string, string>>
  readonly publish?: string
  readonly subscribe?: string
  readonly receive?: string
}

export function aclLine(): CommandLine {
  return commandLine(manual)
    .option('--config <file>', 'the configuration of the broker, whose rules are asked')
    .option('--listener <n>', 'of the configuration: the rules at this listener; the first is 0', wholeNumber(0))
    .option('--acl <file>', 'a file of access rules, instead of --config')
    .option('--user <name>', 'user name of the client (default: it has none)')
    .option('--client <id>', 'Client Identifier', '')
    .option('--claim <name=value>', 'what its token says; may be given several times', claim)
    .option('--publish <topic>', 'may it publish to this topic?', topic(isTopicName, 'a topic name'))
    .option('--subscribe <filter>', 'may it subscribe to this filter?', topic(isTopicFilter, 'a topic filter'))
    .option('--receive <topic>', 'may it be given a message of this topic?', topic(isTopicName, 'a topic name'))
}

/** `godwit acl explain`: why somebody may, or may not. */
export async function acl(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, ...rest] = args
  const asksForHelp = action === '--help' || action === '-h'
  if (action !== 'explain' && !asksForHelp) throw new CommandError(noAction('acl', action ?? '', ['explain']))
  const command = aclLine()
  const flags = parse<Flags>(command, asksForHelp ? args : rest, terminal)
  if (flags === helped) return 0
  const { user: username, client: clientId, claim: claims = {} } = flags
  const wish = wishOf(flags)
  const client = { clientId, username, identity: { claims } }
  const { rules, from } = rulesOf(flags, (warning) => terminal.stderr.write(`warning: ${warning}\n`))
  if (!rules) {
    await write(terminal.stdout, `allowed: ${from} has no access rules\n`)
    return 0
  }
  const { allowed, rule } = accessRules(rules).explain({ ...wish, client })
  await write(
    terminal.stdout,
    `${allowed ? 'allowed' : 'denied'}${rule ? ` by ${inWords(rule)}` : `: no rule of ${from} allows it`}\n`,
  )
  return allowed ? 0 : 1
}

interface Rules {
  /** Undefined: everybody may do everything. */
  readonly rules: readonly AccessRule[] | undefined
  /** Where they are from, in words. */
  readonly from: string
}

function rulesOf({ acl: file, config, listener }: Flags, warn: (warning: string) => void): Rules {
  if (file !== undefined) {
    if (config !== undefined || listener !== undefined) {
      throw new CommandError('--acl names the rules; leave out --config and --listener')
    }
    return { rules: readAccessRules(file, warn), from: file }
  }
  const settings = brokerConfig(config === undefined ? {} : { config }, process.env)
  const { acl: common, listeners } = settings.config
  const own = listener === undefined ? undefined : listeners[listener]
  if (listener !== undefined && !own) {
    throw new CommandError(`--listener is ${listener}; the configuration has listeners 0 to ${listeners.length - 1}`)
  }
  const from = config ?? 'the configuration'
  const rules = inOneLine(() =>
    own?.acl
      ? rulesIn(own.acl, ['listeners', listener!, 'acl'], settings, warn)
      : rulesIn(common, ['acl'], settings, warn),
  )
  if (!rules && config === undefined) throw new CommandError('say where the rules are: --config FILE, or --acl FILE')
  return { rules, from }
}

function inOneLine<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}

function wishOf(flags: Flags): { readonly action: AccessAction; readonly topic: string } {
  const [wish, ...more] = (['publish', 'subscribe', 'receive'] as const).flatMap((action) => {
    const text = flags[action]
    return text === undefined ? [] : [{ action, topic: splitShared(text)?.filter ?? text }]
  })
  if (!wish || more.length > 0) throw new CommandError('say one of --publish, --subscribe and --receive')
  return wish
}

function inWords({ allow, deny, filter, user, client, anonymous, where }: AccessRule): string {
  const whom = [
    ...(user === undefined ? [] : [` for the user ${[user].flat().join(', ')}`]),
    ...(client === undefined ? [] : [` for the client ${[client].flat().join(', ')}`]),
    ...(anonymous ? [' for clients without a user name'] : []),
  ]
  return `${where}: ${allow ? 'allow' : 'deny'} ${[allow ?? deny].flat().join(', ')} ${filter}${whom.join('')}`
}

function topic(isLegal: (text: string) => boolean, what: string): (text: string) => string {
  return (text) => {
    if (!isLegal(text)) throw new InvalidArgumentError(`it takes ${what}`)
    return text
  }
}

function claim(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('it takes NAME=VALUE')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
