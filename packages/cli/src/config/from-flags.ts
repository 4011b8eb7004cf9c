import { InvalidArgumentError } from 'commander'
import { commitMode, oneOf, size, wholeNumber } from '../argument-values.js'
import { logFormats, logLevels } from '../log.js'
import type { CommandLine } from '../manual.js'
import { monitoringAddress } from '../monitoring/monitoring-address.js'
import { defaultLayer, environmentLayer, fileLayer, flagLayer, type Values } from './layers.js'
import { type Resolved, resolve } from './resolve.js'
import { defaults } from './schema.js'
import { isTextAt } from './schema-path.js'

/** What the command line says of the configuration. */
export interface ConfigFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly allowAnonymous?: boolean
  readonly data?: string
  readonly control?: string
  readonly metrics?: string
  readonly http?: string
  readonly mqtt31?: boolean
  readonly logLevel?: string
  readonly logFormat?: string
  readonly logFile?: string
  readonly maxInflight?: number
  readonly maxQueued?: number
  readonly maxQueuedBytes?: number
}

/** The flag of each setting that has one. */
const flagNames = {
  listeners: '--host and --port',
  allowAnonymous: '--allow-anonymous',
  data: '--data',
  control: '--control',
  metrics: '--metrics',
  'http.listen': '--http',
  'features.mqtt31': '--mqtt31',
  'log.level': '--log-level',
  'log.format': '--log-format',
  'log.file': '--log-file',
  'limits.maxInflight': '--max-inflight',
  'limits.maxQueuedMessages': '--max-queued',
  'limits.maxQueuedBytes': '--max-queued-bytes',
}

/** Adds the flags that say what a configuration can say, and the one that names its file. */
export function withConfigOptions(command: CommandLine): CommandLine {
  return command
    .option('--host <host>', 'address to listen on (default: 127.0.0.1, this machine only)')
    .option('-p, --port <port>', 'port to listen on; 0 takes any free one (default: 1883)', wholeNumber(0, 65_535))
    .option('--allow-anonymous', 'let anyone in who can reach --host; needed for any but this machine')
    .option('--data <folder>', '"memory", or where data is kept (default: ./godwit-data)')
    .option(
      '--control <path>',
      'socket for godwit reload, top, clients and others; or "none" (default: control.sock in --data)',
    )
    .option(
      '--metrics <[host:]port>',
      'show /metrics, /healthz and /readyz over HTTP there (default: nowhere)',
      metrics,
    )
    .option(
      '--http <[host:]port>',
      'serve the HTTP API and the console there; or "none" (default: 127.0.0.1:18083)',
      httpListen,
    )
    .option(
      '--commit <when>',
      'acknowledge when messages are "flushed" to the disk; there is no weaker mode (default: flushed)',
      commitMode,
    )
    .option('--mqtt31', 'serve MQTT 3.1 too, for clients of before 2014')
    .option('--config <file>', 'a YAML or JSON file with settings; flags and GODWIT_… variables override it')
    .option(
      '--max-inflight <n>',
      'messages sent to a client and not yet acknowledged (default: 256)',
      wholeNumber(1, 65_535),
    )
    .option('--max-queued <n>', 'messages that wait for a client (default: 100000)', wholeNumber(1))
    .option('--max-queued-bytes <size>', 'bytes that wait for a client, such as 512MiB (default: 256MiB)', size)
    .option('--log-level <level>', `${logLevels.join(', ')}: the least to log (default: info)`, oneOf(logLevels))
    .option(
      '--log-format <form>',
      'text; json, one object a line; or auto: text on a terminal, else json (default: auto)',
      oneOf(logFormats),
    )
    .option('--log-file <file>', 'log into that file instead of stderr; SIGHUP and godwit reload open it anew')
}

/**
 * What defaults, file, environment and flags say together.
 * @throws CommandError naming the place of what is wrong.
 */
export function brokerConfig(flags: ConfigFlags, environment: NodeJS.ProcessEnv): Resolved {
  return resolve([
    defaultLayer(defaults),
    ...(flags.config === undefined ? [] : [fileLayer(flags.config)]),
    environmentLayer(environment, isTextAt),
    flagLayer(valuesOf(flags), flagNames),
  ])
}

function valuesOf({ host, port, allowAnonymous, data, control, metrics, http, mqtt31, ...more }: ConfigFlags): Values {
  const { logLevel: level, logFormat: format, logFile: file, ...limits } = more
  const { maxInflight, maxQueued: maxQueuedMessages, maxQueuedBytes } = limits
  const listener = said({ host, port })
  const values = {
    listeners: listener && [listener],
    allowAnonymous,
    data,
    control,
    metrics,
    http: said({ listen: http }),
    features: said({ mqtt31 }),
    log: said({ level, format, file }),
    limits: said({ maxInflight, maxQueuedMessages, maxQueuedBytes }),
  }
  return said(values) ?? {}
}

function metrics(text: string): string {
  if (monitoringAddress(text)) return text
  throw new InvalidArgumentError('it takes a port, or host:port such as 127.0.0.1:9464.')
}

function httpListen(text: string): string {
  if (text === 'none' || monitoringAddress(text)) return text
  throw new InvalidArgumentError('it takes a port, host:port such as 127.0.0.1:18083, or none.')
}

/** Without what was not said; undefined when nothing was. */
function said(values: Values): Values | undefined {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return entries.length > 0 ? Object.fromEntries(entries) : undefined
}
