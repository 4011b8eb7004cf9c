import { once } from 'node:events'
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  createBroker,
  type Features,
  type Limits,
  type Listener,
  type ListenOptions,
  type Logger,
  type LogLevel,
  memoryStore,
  type Store,
} from '@godwit/broker'
import { type BannerFacts, banner } from '../banner.js'
import { accessOf } from '../broker-access.js'
import { doorName, listenOptions } from '../broker-doors.js'
import { CommandError } from '../command-error.js'
import { commandLine, helped, parse } from '../command-line.js'
import { brokerConfig, type ConfigFlags, withConfigOptions } from '../config/from-flags.js'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import { prepareDataFolder } from '../data-folder.js'
import { isLoopback } from '../loopback.js'
import type { Terminal } from '../terminal.js'
import { textLog } from '../text-log.js'

const examples = `  godwit broker                                      for programs of this machine, on port 1883
  godwit broker --port 1884 --data /var/lib/godwit
  godwit broker --data memory                        nothing is kept
  godwit broker --host 0.0.0.0 --allow-anonymous     for anyone who can reach this machine
  godwit broker --max-inflight 1000 --max-queued-bytes 512MiB
  godwit broker --config godwit.yaml                 all settings: docs/configuration.md
  GODWIT_LIMITS__MAX_INFLIGHT=1000 godwit broker     as limits.maxInflight in the file

Flags override the environment, that overrides the file, that overrides the defaults. godwit config print shows
what holds, and where each value comes from.
`

/**
 * Reads the command line, the environment, and the configuration file that the command line names.
 * @throws CommandError
 */
export function brokerSettings(
  args: readonly string[],
  terminal: Terminal,
  environment: NodeJS.ProcessEnv = process.env,
): Resolved | typeof helped {
  const command = withConfigOptions(
    commandLine('broker', 'Runs an MQTT broker until it is told to stop (Ctrl-C, SIGTERM).', examples),
  )
  const flags = parse<ConfigFlags>(command, args, terminal)
  return flags === helped ? helped : brokerConfig(flags, environment)
}

/** `godwit broker`: runs until it is stopped. */
export async function broker(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = brokerSettings(args, terminal)
  if (settings === helped) return 0
  const { data, limits, features, log: logging, listeners } = settings.config
  const who = whoMayCome(settings.config)
  const folder = data === 'memory' ? undefined : prepareDataFolder(data)
  const stopping = terminal.stopping()
  const log = textLog(logging.level as LogLevel, (line) => void terminal.stderr.write(line))
  let running: Broker | undefined
  const access = await inOneLine(() =>
    accessOf(settings, log, (clientId) => {
      running?.disconnect(clientId, { reasonCode: 0x87, reasonString: 'what let this client in has expired' })
    }),
  )
  const store = folder === undefined ? memoryStore() : await durable(folder, log)
  const { hooks } = access
  running = await create(
    { ...(features as Partial<Features>), limits: limits as Partial<Limits>, hooks, log, store },
    settings,
  )
  try {
    const open: Listener[] = []
    for (const door of listeners) open.push(await listen(running, listenOptions(door)))
    const doors = listeners.map((door, at) => doorName(door, open[at]!.port))
    terminal.stdout.write(banner({ doors, who, folder, recovered: running.recovered }))
    terminal.onReload(() => void reload([access, ...open], log))
    if (!stopping.aborted) await once(stopping, 'abort')
    log.log('info', 'stopping')
  } finally {
    access.close()
    await running.close()
  }
  return 0
}

/** Password file, access rules and certificates again; what is broken is told, and the old stays in force. */
async function reload(what: readonly { reload(): Promise<void> }[], log: Logger): Promise<void> {
  const results = await Promise.allSettled(what.map((one) => one.reload()))
  for (const result of results) {
    if (result.status === 'rejected') log.log('error', 'not reloaded', { error: (result.reason as Error).message })
  }
  log.log('info', 'reloaded')
}

/**
 * Without authentication only programs of this machine come in, unless the person who starts it says otherwise.
 * @throws CommandError
 */
function whoMayCome({ listeners, allowAnonymous, auth }: Config): BannerFacts['who'] {
  const open = listeners.find(({ host, socket }) => socket === undefined && !isLoopback(host))
  if (Object.keys(auth).length > 0) return 'authenticated'
  if (!open) return 'this machine'
  if (allowAnonymous) return 'anyone'
  throw new CommandError(
    `${open.host} can be reached by other machines and nobody is asked for a password; configure auth, or add --allow-anonymous to let anyone in`,
  )
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
async function durable(directory: string, log: Logger): Promise<Store> {
  const { lmdbStore } = await import('@godwit/broker/store/lmdb')
  return lmdbStore({ directory, log })
}

async function create(options: BrokerOptions, { origin }: Resolved): Promise<Broker> {
  try {
    return await createBroker(options)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const [, limit] = /^limits\.(\w+)/.exec(error.message) ?? []
    throw new CommandError(limit ? `${origin(['limits', limit])}: ${error.message}` : error.message)
  }
}

async function listen(running: Broker, options: ListenOptions): Promise<Listener> {
  try {
    return await running.listen(options)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}
