import { once } from 'node:events'
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  createBroker,
  type Features,
  type Limits,
  type Logger,
  type LogLevel,
  memoryStore,
  type Store,
} from '@godwit/broker'
import { banner } from '../banner.js'
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
  const { data, limits, features, log: logging, ...doors } = settings.config
  checkDoors(doors)
  const folder = data === 'memory' ? undefined : prepareDataFolder(data)
  const stopping = terminal.stopping()
  const log = textLog(logging.level as LogLevel, (line) => void terminal.stderr.write(line))
  const store = folder === undefined ? memoryStore() : await durable(folder, log)
  const running = await create(
    { ...(features as Partial<Features>), limits: limits as Partial<Limits>, log, store },
    settings,
  )
  try {
    const open: { host: string; port: number }[] = []
    for (const { host, port } of doors.listeners) open.push({ host, port: (await listen(running, host, port)).port })
    terminal.stdout.write(banner({ doors: open, folder, recovered: running.recovered }))
    if (!stopping.aborted) await once(stopping, 'abort')
    log.log('info', 'stopping')
  } finally {
    await running.close()
  }
  return 0
}

/** Without authentication only programs of this machine come in, unless the person who starts it says otherwise. */
function checkDoors({ listeners, allowAnonymous }: Pick<Config, 'listeners' | 'allowAnonymous'>): void {
  const open = listeners.find(({ host }) => !isLoopback(host))
  if (!open || allowAnonymous) return
  throw new CommandError(
    `${open.host} can be reached by other machines and nobody is asked for a password; add --allow-anonymous to let anyone in, or listen on 127.0.0.1`,
  )
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

async function listen(running: Broker, host: string, port: number): Promise<{ readonly port: number }> {
  try {
    return await running.listen({ host, port })
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}
