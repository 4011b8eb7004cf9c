import { once } from 'node:events'
import { RecentLog } from '@godwit/admin/parts'
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  createBroker,
  type Features,
  type Hooks,
  type Limits,
  type Logger,
  memoryStore,
  systemdSockets,
} from '@godwit/broker'
import type { StoreOnDisk } from '@godwit/broker/store/lmdb'
import { BackupFolder } from '../backup-folder.js'
import { type BannerFacts, banner } from '../banner.js'
import { Bridges } from '../bridges/bridges.js'
import { accessOf, whoMayCome } from '../broker-access.js'
import { colorChoiceIn, isTerminal } from '../colors.js'
import { CommandError, exitDamaged } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { exposedSecrets } from '../config/exposed-secrets.js'
import { brokerConfig, type ConfigFlags, withConfigOptions } from '../config/from-flags.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { consoleToLog } from '../console-to-log.js'
import { type BrokerControl, brokerControl } from '../control/broker-control.js'
import { prepareDataFolder } from '../data-folder.js'
import { editorsOf } from '../editing/editors.js'
import { HookSets } from '../hook-sets.js'
import { checkHttp, httpAddress } from '../http/http-settings.js'
import { loadHttp, WebServers } from '../http/web-servers.js'
import { type BrokerLog, logOf } from '../log.js'
import { OpenDoors } from '../open-doors.js'
import { LoopWatch, lineTargets } from '../plugins/loop-watch.js'
import { loadPlugins } from '../plugins/plugins.js'
import { systemdNotify } from '../systemd-notify.js'
import { withSystemdSockets } from '../systemd-sockets.js'
import type { Terminal } from '../terminal.js'
import { version } from '../version.js'
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
  try {
    return await serve(args, terminal, settings, log, recent)
  } finally {
    await log.close()
  }
}

async function serve(
  args: readonly string[],
  terminal: Terminal,
  settings: Resolved,
  log: BrokerLog,
  recent: RecentLog,
): Promise<number> {
  boundYoungGeneration()
  const { data, log: logging } = settings.config
  const sockets = systemdSockets()
  checkHttp(settings.config)
  if (httpAddress(settings.config)) await loadHttp() // before anybody is served who would wait
  const hookSets = new HookSets('access', 'plugins')
  const watch = new LoopWatch(lineTargets(logging, terminal), log)
  const use = (hooks: readonly Hooks[]): void => hookSets.replace('plugins', hooks)
  const plugins = await inOneLine(() => loadPlugins(settings, { log, watch, use }))
  const who = whoMayCome(withSystemdSockets(settings.config, sockets), plugins)
  const folder = data === 'memory' ? undefined : prepareDataFolder(data)
  const stopping = terminal.stopping()
  for (const warning of exposedSecrets(settings)) log.log('warn', warning)
  let running: Broker | undefined
  let control: BrokerControl | undefined
  let servers: WebServers | undefined
  let bridges: Bridges | undefined
  const access = await inOneLine(() =>
    accessOf(settings, {
      log,
      disconnect(clientId) {
        void running?.disconnect(clientId, { reasonCode: 0x87, reasonString: 'what let this client in has expired' })
      },
      use: (hooks) => hookSets.replace('access', hooks),
      plugins,
    }),
  )
  const onDisk = folder === undefined ? undefined : await durable(folder, log)
  const store = onDisk ?? memoryStore()
  running = await create({ hooks: hookSets.all, log, store }, settings)
  const opening = running
  hookSets.serve(opening)
  const restoreConsole = consoleToLog(log)
  try {
    await plugins.start(opening, settings)
    const open = await OpenDoors.open(opening, settings, sockets)
    const read = (): Resolved => brokerSettings(args, terminal) as Resolved // it asked for no help the first time
    const editors = editorsOf(settings, access)
    const backups = new BackupFolder(settings.config.backup.directory, onDisk)
    const facts = { broker: opening, settings, backups, recent, log }
    const served = { ...facts, ...editors, doors: () => open.words, access: access.explainer }
    const asked = { reload: () => control!.reload(), inForce: () => control?.inForce() ?? settings }
    const joined = new Bridges(opening, log)
    bridges = joined
    const web = await WebServers.open({ ...served, ...asked, plugins, bridges: joined })
    servers = web
    const opened = await brokerControl({
      broker: running,
      settings,
      access,
      plugins,
      doors: open,
      sockets,
      read,
      editors,
      backups,
      loginLink: () => web.http?.loginLink(),
      bridges: joined,
      reloadable: [web, joined],
      log,
    })
    control = opened
    const shown = { doors: open.words, who, folder, recovered: running.recovered, metrics: web.metrics }
    terminal.stdout.write(banner({ ...shown, console: consoleFor(terminal, web) }))
    if (log.format === 'json' || logging.file !== undefined) {
      log.log('info', 'started', { version, listeners: open.words.join(', '), data })
    }
    await inOneLine(() => joined.start(settings))
    terminal.onReload(() => void opened.reload().catch(() => {})) // told in the log
    await systemdNotify('READY=1', log)
    const damage = await Promise.race([stopped(stopping), failed(opening)])
    if (damage) throw new CommandError(damage.message, exitDamaged)
    log.log('info', 'stopping')
    await systemdNotify('STOPPING=1', log)
  } finally {
    await control?.close()
    await servers?.close()
    await plugins.stop()
    await bridges?.close()
    access.close()
    await running.close()
    await watch.close()
    restoreConsole()
  }
  return 0
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

/** A login is for a person who reads it now: what is no terminal may be kept. */
function consoleFor({ stdout }: Terminal, { http }: WebServers): BannerFacts['console'] {
  const isLogin = isTerminal(stdout)
  return http && { url: isLogin ? http.loginLink() : http.url, isLogin }
}

async function inOneLine<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}

/** Loaded only when it is used: with `--data memory` no native code is. */
async function durable(directory: string, log: Logger): Promise<StoreOnDisk> {
  const { lmdbStore } = await import('@godwit/broker/store/lmdb')
  return lmdbStore({ directory, log })
}

async function create(options: BrokerOptions, { config, origin }: Resolved): Promise<Broker> {
  const { limits, features, sysIntervalSeconds } = config
  const settings = { ...(features as Partial<Features>), limits: limits as Partial<Limits>, sysIntervalSeconds }
  try {
    return await createBroker({ ...settings, ...options })
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const [, limit] = /^limits\.(\w+)/.exec(error.message) ?? []
    const exitCode = error.code === 'store-damaged' ? exitDamaged : 1
    throw new CommandError(limit ? `${origin(['limits', limit])}: ${error.message}` : error.message, exitCode)
  }
}
