import type { ClusterNodeView } from '@godwit/admin/parts'
import { BrokerError } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { brokerConfig } from '../config/from-flags.js'
import { askOnce, type ControlFlags, controlPathOf, withControlOptions } from '../control/control-client.js'
import type { ClusterAnswer, ClusterDeed } from '../control/control-protocol.js'
import { bytes, count, since } from '../control/figures.js'
import { printableJson } from '../control/printable-json.js'
import { type Column, table } from '../control/table.js'
import { escapedControls } from '../safe-text.js'
import { type Terminal, write } from '../terminal.js'

const deeds: readonly ClusterDeed[] = ['status', 'handover', 'claim', 'freeze', 'thaw', 'snapshot', 'recover']
const transfers = ['import', 'export'] as const
const actions = [...deeds, ...transfers]

const manual: Manual = {
  name: 'cluster',
  summary: 'Shows and steers the node of a cluster that runs on this machine.',
  actions,
  examples: [
    ['godwit cluster status', 'who is the owner, how far each node is behind'],
    ['godwit cluster handover', 'on the owner: another node takes over, at once and in order'],
    ['godwit cluster freeze', 'this node takes over no more by itself; thaw ends that'],
    ['godwit cluster claim', 'this node takes over now, whatever freeze and clocks say'],
    ['godwit cluster snapshot', 'puts a copy of everything where all nodes reach it'],
    ['godwit cluster recover', 'on a node that has parted from the log: sets its copy aside, and begins anew'],
    [
      'godwit cluster recover --from b',
      'the log is lost: tells what would be done to have all go on with the copy of b',
    ],
    ['godwit cluster recover --from b --confirm "b 1234"', 'does it: on b first, then on the others'],
    ['godwit cluster import --config godwit.yaml /var/lib/godwit-alone', 'the data of a broker that ran alone'],
    ['godwit cluster export /var/lib/godwit/copy /var/lib/godwit-alone', 'and back'],
  ],
  notes: [
    'import has the log of the cluster begin with the data of a folder; no node may run meanwhile. Where the cluster has data already it needs --force, and what is not in the folder is given up.',
  ],
}

interface Flags extends ControlFlags {
  readonly json?: true
  readonly config?: string
  readonly force?: true
  readonly from?: string
  readonly confirm?: string
}

export function clusterLine(): CommandLine {
  return withControlOptions(commandLine(manual))
    .usage(`${actions.join('|')} [options] [folder] [new folder]`)
    .argument('[folder]', 'of import and export: the data folder, which nobody uses')
    .argument('[new-folder]', 'of export: where the copy goes')
    .option('--json', 'print JSON')
    .option('--config <file>', 'of import: the configuration of a node')
    .option('--force', 'of import: begin anew although the cluster has data')
    .option('--from <node>', 'of recover: the node whose copy all are to have')
    .option('--confirm <words>', 'of recover --from: what it has told to say, once you want it done')
}

/** `godwit cluster ACTION`. */
export async function cluster(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...rest] = args
  const isAction = (actions as readonly string[]).includes(name)
  if (!isAction && !name.startsWith('-')) throw new CommandError(noAction('cluster', name, actions))
  const command = clusterLine()
  const flags = parse<Flags>(command, isAction ? rest : args, terminal)
  if (flags === helped) return 0
  if (!isAction) throw new CommandError(noAction('cluster', '', actions))
  const [folder, to] = command.args
  if (name === 'import') await write(terminal.stdout, await brought(flags, folder))
  else if (name === 'export') await write(terminal.stdout, await taken(folder, to))
  else {
    const answer = await asked(name as ClusterDeed, flags)
    await write(terminal.stdout, flags.json ? `${printableJson(answer)}\n` : inWords(name as ClusterDeed, answer))
  }
  return 0
}

async function asked(deed: ClusterDeed, flags: Flags): Promise<ClusterAnswer> {
  const { from, confirm } = flags
  if (deed !== 'recover' && (from ?? confirm) !== undefined) {
    throw new CommandError(`godwit cluster ${deed} takes no --from and no --confirm; recover does`)
  }
  if (confirm !== undefined && from === undefined) throw new CommandError('--confirm goes with --from NODE')
  return await askOnce<ClusterAnswer>(controlPathOf(flags), { request: 'cluster', deed, from, confirm })
}

const done: Readonly<Record<ClusterDeed, string>> = {
  status: '',
  handover: 'this node lets go as soon as another has all there is: see godwit cluster status\n',
  claim: 'this node takes over as soon as it has all there is\n',
  freeze: 'this node takes over no more by itself; thaw it again, or start it anew\n',
  thaw: 'this node takes over by itself again\n',
  snapshot: 'a snapshot was made\n',
  recover: 'it begins anew: see godwit cluster status, and the log of the node\n',
}

function inWords(deed: ClusterDeed, answer: ClusterAnswer): string {
  const { plan } = answer
  if (plan) {
    return `${plan.lines.join('\n')}\nNothing is done yet. If that is what you want: --confirm "${plan.words}"\n`
  }
  if (deed !== 'status') return done[deed]
  const { cluster, node, role, epoch, owner, frozen, held, silentSeconds, problem, log, nodes, snapshots } = answer
  const waits =
    held === 'silent'
      ? `, NATS silent for ${silentSeconds.toFixed(1)} s`
      : held === 'full'
        ? ', the log is full: nothing is acknowledged'
        : ''
  const lines = [
    `cluster ${cluster}, epoch ${epoch}, owner ${owner ?? 'none yet'}; the log ends at frame ${log.last}`,
    `this node: ${node}, ${role}${frozen ? ', frozen' : ''}${waits}${problem === null ? '' : `: ${problem}`}`,
    `snapshots: ${snapshots.length === 0 ? 'none' : snapshots.map(({ frame }) => `frame ${frame}`).join(', ')}`,
    '',
  ]
  return `${[...lines, ...table(columns, nodes, Number.POSITIVE_INFINITY)].join('\n')}\n`
}

const columns: readonly Column<ClusterNodeView>[] = [
  { title: 'NODE', text: ({ node }) => escapedControls(node) },
  { title: 'ROLE', text: ({ role }) => escapedControls(role) },
  { title: 'BEHIND', text: ({ behindFrames }) => count(behindFrames), align: 'right' },
  { title: 'BYTES', text: ({ behindBytes }) => bytes(behindBytes), align: 'right' },
  { title: 'TOLD', text: ({ toldAt }) => since(Date.parse(toldAt)), align: 'right' },
  { title: 'VERSION', text: ({ version }) => escapedControls(version) },
  { title: 'PROBLEM', text: ({ problem }) => escapedControls(problem ?? '') },
]

async function brought({ config, force }: Flags, folder: string | undefined): Promise<string> {
  if (config === undefined || folder === undefined) {
    throw new CommandError('godwit cluster import takes --config FILE and the folder; see godwit cluster --help')
  }
  const settings = brokerConfig({ config }, process.env)
  const { cluster } = settings.config
  if (!cluster) throw new CommandError(`${config} says nothing of a cluster`)
  const { EngineUnfit, Fenced, importData, jetstreamLog, LogSilent } = await import('@godwit/cluster')
  const { checkCluster, natsOptions } = await import('../cluster/cluster-settings.js')
  checkCluster(settings)
  return await told([EngineUnfit, Fenced, LogSilent], async () => {
    const { name, replicas, logBytes } = cluster
    const server = await jetstreamLog({ ...natsOptions(cluster), name, replicas, logBytes })
    try {
      const frame = await importData({ server, directory: folder, force: force === true })
      return `the cluster ${name} begins with ${folder}, at frame ${frame}; start its nodes\n`
    } finally {
      await server.close()
    }
  })
}

async function taken(folder: string | undefined, to: string | undefined): Promise<string> {
  if (folder === undefined || to === undefined) {
    throw new CommandError("godwit cluster export takes the node's copy and a new folder; see godwit cluster --help")
  }
  const { exportData } = await import('@godwit/cluster')
  return await told([], async () => {
    await exportData(folder, to)
    return `made ${to}: godwit broker --data ${to}\n`
  })
}

/** What it throws, in one line. */
async function told<T>(kinds: readonly (new (...args: never[]) => Error)[], make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BrokerError) && !kinds.some((kind) => error instanceof kind)) throw error
    throw new CommandError((error as Error).message)
  }
}
