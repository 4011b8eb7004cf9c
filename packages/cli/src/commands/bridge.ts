import { type BridgeView, type Probe, type ProbedFilter, probe } from '@godwit/bridge'
import { isClientError } from '@godwit/client'
import { reasonName } from '@godwit/protocol'
import { bridgeOptions } from '../bridges/bridge-options-of.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { brokerConfig, type ConfigFlags } from '../config/from-flags.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { BridgesAnswer } from '../control/control-protocol.js'
import { count, since } from '../control/figures.js'
import { printableJson } from '../control/printable-json.js'
import { type Column, roomOn, table } from '../control/table.js'
import { type Terminal, write } from '../terminal.js'
import { printed } from '../text-log.js'

const actions = ['list', 'test']

const manual: Manual = {
  name: 'bridge',
  summary: 'Lists the bridges of a running broker, or tries whether one would connect.',
  examples: [
    ['godwit bridge', 'what each bridge does'],
    ['godwit bridge test cloud --config godwit.yaml', 'connects, subscribes, says what is granted, and leaves'],
    ['godwit bridge --json | jq .[]'],
  ],
  notes: [
    'A test is made from the configuration, by this program, beside a bridge that runs: under its Client Identifier with -test behind it, and without a session. It publishes nothing. The exit code is 0 when all is granted.',
  ],
  actions,
}

interface Flags extends ControlFlags {
  readonly json?: true
  readonly config?: string
}

export function bridgeLine(): CommandLine {
  return withControlOptions(commandLine(manual).usage('[options] [list | test <name>]'))
    .argument('[action]', 'list or test (default: list)')
    .argument('[name]', 'of the bridge that is tried')
    .option('--config <file>', 'of a test: the YAML or JSON file with the settings of the broker')
    .option('--json', 'print JSON')
}

/** `godwit bridge`: what bridges do, and what one would meet. */
export async function bridge(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = bridgeLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [action = 'list', name] = command.args
  if (!actions.includes(action)) throw new CommandError(noAction('bridge', action, actions))
  if (action === 'list') return list(flags, terminal)
  if (name === undefined) throw new CommandError('name the bridge: godwit bridge test NAME')
  return test(name, flags, terminal)
}

async function list(flags: Flags, terminal: Terminal): Promise<number> {
  const { bridges } = await askOnce<BridgesAnswer>(controlPathOf(flags), { request: 'bridges' })
  const lines = table(columns, bridges, roomOn(terminal.stdout))
  const text = flags.json ? printableJson(bridges) : bridges.length > 0 ? lines.join('\n') : 'there are no bridges'
  await write(terminal.stdout, `${text}\n`)
  return 0
}

const columns: readonly Column<BridgeView>[] = [
  { title: 'BRIDGE', text: ({ name }) => name },
  { title: 'STATE', text: ({ connected }) => (connected ? 'connected' : 'tries again') },
  { title: 'FOR', text: (view) => since(view.since), align: 'right' },
  { title: 'OUT', text: ({ out }) => count(out), align: 'right' },
  { title: 'IN', text: (view) => count(view.in), align: 'right' },
  { title: 'QUEUED', text: ({ queued }) => count(queued), align: 'right' },
  { title: 'DROPPED', text: ({ dropped }) => droppedInWords(dropped) },
  { title: 'LOST', text: ({ lostSessions }) => count(lostSessions), align: 'right' },
  { title: 'SERVER', text: ({ server, problem }) => printed(server ?? problem ?? ''), least: 16 },
]

/** By reason; 0: none. */
function droppedInWords(dropped: BridgeView['dropped']): string {
  const reasons = Object.entries(dropped).filter(([, times]) => times > 0)
  return reasons.map(([reason, times]) => `${count(times)} ${reason}`).join(', ') || '0'
}

async function test(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  const given: ConfigFlags = flags.config === undefined ? {} : { config: flags.config }
  const settings = brokerConfig(given, process.env)
  const at = settings.config.bridges.findIndex((one) => one.name === name)
  if (at === -1) {
    const names = settings.config.bridges.map((one) => one.name)
    const known = names.length > 0 ? `there is ${names.join(', ')}` : 'the configuration has none'
    throw new CommandError(`there is no bridge ${name}; ${known}${flags.config ? '' : '; name the file with --config'}`)
  }
  const options = await bridgeOptions(settings, at, { log() {} })
  try {
    const found = await probe(options)
    await write(terminal.stdout, flags.json ? `${printableJson(found)}\n` : inWords(found))
    return found.filters.every(isGranted) ? 0 : 1
  } catch (error) {
    if (!isClientError(error)) throw error
    throw new CommandError(`bridge ${name}: ${error.message}`)
  }
}

function isGranted({ qos, reasonCode }: ProbedFilter): boolean {
  return reasonCode === qos
}

function inWords({ server, version, maximumQos, retainAvailable, isGodwit, takesBridges, filters }: Probe): string {
  const spoken = { 3: '3.1', 4: '3.1.1', 5: '5.0' }[version] ?? version
  return [
    `connected to ${server}, MQTT ${spoken}`,
    ...(maximumQos === undefined ? [] : [`what goes out goes at QoS ${maximumQos} at most: more is not taken there`]),
    ...(retainAvailable ? [] : ['what goes out is not retained there']),
    ...(isGodwit && !takesBridges ? [noBridgeThere] : []),
    ...filters.map(filterInWords),
  ]
    .map((line) => `${line}\n`)
    .join('')
}

const noBridgeThere =
  'taken for a client, not for a bridge: in a ring or a net, name its user in features.bridgeUsers over there'

function filterInWords({ filter, qos, reasonCode }: ProbedFilter): string {
  if (reasonCode === qos) return `in: ${printed(filter)}: granted at QoS ${qos}`
  if (reasonCode < 0x80) return `in: ${printed(filter)}: granted at QoS ${reasonCode} only, not ${qos}`
  return `in: ${printed(filter)}: refused: ${reasonName(reasonCode)}`
}
