import { once } from 'node:events'
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  createBroker,
  type Limits,
  type Logger,
  type LogLevel,
  memoryStore,
  type Store,
} from '@godwit/broker'
import { commitMode, oneOf, size, wholeNumber } from '../argument-values.js'
import { banner } from '../banner.js'
import { CommandError } from '../command-error.js'
import { commandLine, helped, parse } from '../command-line.js'
import { type BrokerConfig, readConfig } from '../config-file.js'
import { prepareDataFolder } from '../data-folder.js'
import { isLoopback } from '../loopback.js'
import type { Terminal } from '../terminal.js'
import { logLevels, textLog } from '../text-log.js'

/** What `godwit broker` is asked to do: defaults, then the configuration file, then the flags. */
export interface BrokerSettings {
  readonly host: string
  readonly port: number
  readonly allowAnonymous: boolean
  /** A folder, or `memory`. */
  readonly data: string
  readonly logLevel: LogLevel
  /** Whether MQTT 3.1 is served beside 3.1.1 and 5.0. */
  readonly mqtt31: boolean
  readonly limits: Partial<Limits>
  /** The configuration file, for messages. */
  readonly config: string | undefined
}

const examples = `  godwit broker                                      for programs of this machine, on port 1883
  godwit broker --port 1884 --data /var/lib/godwit
  godwit broker --data memory                        nothing is kept
  godwit broker --host 0.0.0.0 --allow-anonymous     for anyone who can reach this machine
  godwit broker --max-inflight 1000 --max-queued-bytes 512MiB
  godwit broker --config godwit.json                 { "port": 1884, "limits": { "maxQueuedMessages": 10000 } }

The configuration is a JSON file with the keys host, port, allowAnonymous, data, logLevel, mqtt31 and limits (the
names of @godwit/broker's Limits). Flags override it. YAML and further keys come with a later version.
`

type Flags = Omit<BrokerConfig, 'limits'> & {
  readonly config?: string
  readonly commit?: 'flushed'
  readonly maxInflight?: number
  readonly maxQueued?: number
  readonly maxQueuedBytes?: number
}

/**
 * Reads the command line, and the configuration file it names.
 * @throws CommandError
 */
export function brokerSettings(args: readonly string[], terminal: Terminal): BrokerSettings | typeof helped {
  const command = commandLine('broker', 'Runs an MQTT broker until it is told to stop (Ctrl-C, SIGTERM).', examples)
    .option('--host <host>', 'address to listen on (default: 127.0.0.1, this machine only)')
    .option('--port <port>', 'port to listen on; 0 takes any free one (default: 1883)', wholeNumber(0, 65_535))
    .option('--allow-anonymous', 'let anyone in who can reach --host; needed for any but this machine')
    .option('--data <folder>', '"memory", or where data is kept (default: ./godwit-data)')
    .option(
      '--commit <when>',
      'acknowledge when messages are "flushed" to the disk; there is no weaker mode (default: flushed)',
      commitMode,
    )
    .option('--config <file>', 'a JSON file with settings; flags override it')
    .option(
      '--max-inflight <n>',
      'messages sent to a client and not yet acknowledged (default: 256)',
      wholeNumber(1, 65_535),
    )
    .option('--max-queued <n>', 'messages that wait for a client (default: 100000)', wholeNumber(1))
    .option('--max-queued-bytes <size>', 'bytes that wait for a client, such as 512MiB (default: 256MiB)', size)
    .option('--mqtt31', 'serve MQTT 3.1 too, beside 3.1.1 and 5.0')
    .option('--log-level <level>', `${logLevels.join(', ')}: the least to log (default: info)`, oneOf(logLevels))
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return helped
  const { config: file, maxInflight, maxQueued, maxQueuedBytes, commit: _, ...given } = flags
  const { limits, ...fromFile } = file === undefined ? ({} as BrokerConfig) : readConfig(file)
  return {
    host: '127.0.0.1',
    port: 1883,
    allowAnonymous: false,
    data: './godwit-data',
    logLevel: 'info',
    mqtt31: false,
    ...fromFile,
    ...given,
    limits: {
      ...limits,
      ...(maxInflight !== undefined && { maxInflight }),
      ...(maxQueued !== undefined && { maxQueuedMessages: maxQueued }),
      ...(maxQueuedBytes !== undefined && { maxQueuedBytes }),
    },
    config: file,
  }
}

/** `godwit broker`: runs until it is stopped. */
export async function broker(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = brokerSettings(args, terminal)
  if (settings === helped) return 0
  const { host, port, data, logLevel, limits, mqtt31 } = settings
  if (!isLoopback(host) && !settings.allowAnonymous) {
    throw new CommandError(
      `${host} can be reached by other machines and nobody is asked for a password; add --allow-anonymous to let anyone in, or listen on 127.0.0.1`,
    )
  }
  const folder = data === 'memory' ? undefined : prepareDataFolder(data)
  const stopping = terminal.stopping()
  const log = textLog(logLevel, (line) => void terminal.stderr.write(line))
  const store = folder === undefined ? memoryStore() : await durable(folder, log)
  const running = await create({ limits, log, store, mqtt31 }, settings.config)
  try {
    const listener = await listen(running, host, port)
    terminal.stdout.write(banner({ host, port: listener.port, folder, recovered: running.recovered }))
    if (!stopping.aborted) await once(stopping, 'abort')
    log.log('info', 'stopping')
  } finally {
    await running.close()
  }
  return 0
}

/** Loaded only when it is used: with `--data memory` no native code is. */
async function durable(directory: string, log: Logger): Promise<Store> {
  const { lmdbStore } = await import('@godwit/broker/store/lmdb')
  return lmdbStore({ directory, log })
}

async function create(options: BrokerOptions, config: string | undefined): Promise<Broker> {
  try {
    return await createBroker(options)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    // Flags have been checked, so an option the broker refuses stands in the file.
    const where = error.code === 'invalid-option' && config !== undefined ? `${config}: ` : ''
    throw new CommandError(where + error.message)
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
