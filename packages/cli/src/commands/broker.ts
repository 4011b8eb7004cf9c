import { once } from 'node:events'
import { RecentLog } from '@godwit/admin/parts'
import { type Broker, type BrokerError, type Logger, memoryStore, systemdSockets } from '@godwit/broker'
import type { StoreOnDisk } from '@godwit/broker/store/lmdb'
import { type Around, BrokerLife } from '../broker-life.js'
import type { NodeEdge } from '../cluster/node-edge.js'
import { colorChoiceIn } from '../colors.js'
import { CommandError, exitDamaged } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { exposedSecrets } from '../config/exposed-secrets.js'
import { brokerConfig, type ConfigFlags, withConfigOptions } from '../config/from-flags.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { consoleToLog } from '../console-to-log.js'
import { prepareDataFolder } from '../data-folder.js'
import { checkHttp, httpAddress } from '../http/http-settings.js'
import { loadHttp } from '../http/web-servers.js'
import { logOf } from '../log.js'
import { boundOldGeneration } from '../old-generation.js'
import { systemdNotify } from '../systemd-notify.js'
import type { Terminal } from '../terminal.js'
import { boundYoungGeneration } from '../young-generation.js'

const manual: Manual = {
  name: 'broker',
  summary: 'Runs an MQTT broker until it is told to stop (Ctrl-C, SIGTERM).',
  examples: [
    ['godwit broker', 'for programs of this machine, on port 1883'],
    ['godwit broker --port 1884 --data /var/lib/godwit'],
    ['godwit broker --data memory', 'nothing is kept'],
    ['godwit broker --host 0.0.0.0 --allow-anonymous', 'for anyone who can reach this machine'],
    ['godwit broker --max-inflight 1000 --max-queued-bytes 512MiB'],
    ['godwit broker --metrics 9464', "counters for Prometheus on this machine's port 9464"],
    ['godwit broker --config godwit.yaml', 'all settings: docs/configuration.md'],
    ['GODWIT_LIMITS__MAX_INFLIGHT=1000 godwit broker', 'as limits.maxInflight in the file'],
  ],
  notes: [
    'Flags override the environment, that overrides the file, that overrides the defaults. godwit config print shows what holds, and where each value comes from.',
  ],
}

export function brokerLine(): CommandLine {
  return withConfigOptions(commandLine(manual))
}

/**
 * Reads the command line, the environment, and the configuration file that the command line names.
 * @throws CommandError
 */
export function brokerSettings(
  args: readonly string[],
  terminal: Terminal,
  environment: NodeJS.ProcessEnv = process.env,
): Resolved | typeof helped {
  const flags = parse<ConfigFlags>(brokerLine(), args, terminal)
  return flags === helped ? helped : brokerConfig(flags, environment)
}

/** `godwit broker`: runs until it is stopped. */
export async function broker(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = brokerSettings(args, terminal)
  if (settings === helped) return 0
  const recent = new RecentLog()
  const log = await inPlace(settings, ['log', 'file'], () =>
    logOf({ ...settings.config.log, color: colorChoiceIn(args), alsoTo: recent }, terminal),
  )
  const read = (): Resolved => brokerSettings(args, terminal) as Resolved // it asked for no help the first time
  try {
    await serve(settings, { terminal, log, recent, read, sockets: systemdSockets() })
    return 0
  } finally {
    await log.close()
  }
}

async function serve(settings: Resolved, around: Around): Promise<void> {
  boundYoungGeneration()
  boundOldGeneration()
  const { terminal, log } = around
  const { data, cluster } = settings.config
  checkHttp(settings.config)
  if (cluster) (await import('../cluster/cluster-settings.js')).checkCluster(settings)
  if (httpAddress(settings.config)) await loadHttp() // before anybody is served who would wait
  const life = await BrokerLife.prepare(settings, around)
  const restoreConsole = consoleToLog(log)
  try {
    const folder = data === 'memory' ? undefined : prepareDataFolder(data)
    const stopping = terminal.stopping()
    for (const warning of exposedSecrets(settings)) log.log('warn', warning)
    if (cluster) await runAsNode(settings, { life, around, folder: folder!, stopping })
    else await runAlone({ life, around, folder, stopping })
  } finally {
    await life.close()
    restoreConsole()
  }
}

interface Run {
  readonly life: BrokerLife
  readonly around: Around
  readonly folder: string | undefined
  readonly stopping: AbortSignal
}

async function runAlone({ life, around, folder, stopping }: Run): Promise<void> {
  const { terminal, log } = around
  const onDisk = folder === undefined ? undefined : await durable(folder, log)
  const running = await life.create({ store: onDisk ?? memoryStore() })
  terminal.onReload(() => void life.reload().catch(() => {})) // told in the log
  try {
    await life.open({ folder, onDisk })
    await systemdNotify('READY=1', log)
    const damage = await Promise.race([stopped(stopping), failed(running)])
    if (damage) throw new CommandError(damage.message, exitDamaged)
    log.log('info', 'stopping')
    await systemdNotify('STOPPING=1', log)
  } finally {
    await life.close()
    await running.close()
  }
}

/** The broker is one of several: it serves while its node owns the log, each time with a life of its own. */
async function runAsNode(
  settings: Resolved,
  { life: first, around, folder, stopping }: Run & { readonly folder: string },
): Promise<void> {
  const { terminal, log } = around
  const { ClusterBroker } = await import('../cluster/cluster-broker.js')
  const { Standby } = await import('../cluster/standby.js')
  const edge = await edgeOf(settings, around, first)
  const lives = new Standby(first, {
    ...{ settings, around, edge },
    web: () => node.web,
    isTakingOver: () => node.role === 'claiming',
  })
  terminal.onReload(() => void lives.reload().catch(() => {}))
  const node = await ClusterBroker.start({
    settings,
    directory: folder,
    ...{ log, edge, recent: around.recent },
    inForce: () => lives.inForce,
    create: async (given) => (await lives.next()).create(given),
    reload: () => lives.reload(),
    open: ({ store: onDisk, ...ofNode }) => lives.open({ folder, onDisk, node: ofNode }),
  })
  try {
    terminal.stdout.write(node.banner(terminal))
    await systemdNotify('READY=1', log)
    await stopped(stopping)
    log.log('info', 'stopping')
    await systemdNotify('STOPPING=1', log)
  } finally {
    await node.close()
  }
}

/** The listeners of a node that passes clients on; `undefined`: its broker has them while it serves. */
async function edgeOf(
  settings: Resolved,
  { sockets, log }: Around,
  { asks }: BrokerLife,
): Promise<NodeEdge | undefined> {
  if (!settings.config.cluster?.forward) return undefined
  const { NodeEdge } = await import('../cluster/node-edge.js')
  return NodeEdge.open(settings, { sockets, asks, log })
}

async function stopped(stopping: AbortSignal): Promise<undefined> {
  if (!stopping.aborted) await once(stopping, 'abort')
}

/** When the stored data turns out to be damaged while the broker runs. */
function failed(running: Broker): Promise<BrokerError> {
  return new Promise((resolve) => {
    running.onFailed = resolve
  })
}

/** Loaded only when it is used: with `--data memory` no native code is. */
async function durable(directory: string, log: Logger): Promise<StoreOnDisk> {
  const { lmdbStore } = await import('@godwit/broker/store/lmdb')
  return lmdbStore({ directory, log })
}
