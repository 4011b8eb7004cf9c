import type { CloseOptions, ConnectOptions, Credentials, WillOptions } from '@godwit/client'
import type { PropertiesOf, QoS } from '@godwit/protocol'
import { InvalidArgumentError } from 'commander'
import { qos, topicName, wholeNumber } from './argument-values.js'
import { CommandError } from './command-error.js'
import type { CommandLine } from './manual.js'
import { addPropertyOption, type PacketProperties, type PropertyPacket } from './packet-properties.js'
import { protocolVersion } from './protocol-versions.js'
import { dialThrough, proxy } from './proxy.js'
import { type NamedServerFlags, passwordIn, serverArgument } from './server-argument.js'
import { addServerOptions, serverOf } from './server-options.js'
import { tlsOf } from './tls-options.js'

/** The flags that pub, sub and rr have in common, as people know them from mosquitto_pub and mosquitto_sub. */
export interface ConnectionFlags extends NamedServerFlags {
  readonly disableCleanSession?: true
  readonly quiet?: true
  readonly keepalive: number
  /** Seconds; Infinity for a session that never expires. */
  readonly sessionExpiryInterval?: number
  readonly property?: PacketProperties
  readonly debug?: true
  readonly willTopic?: string
  readonly willPayload?: string
  readonly willQos?: QoS
  readonly willRetain?: true
}

/** Where to connect, and as whom. */
export interface ConnectionSettings {
  /** For `connect` of @godwit/client. */
  readonly server: string
  readonly options: ConnectOptions
  /** For `close` of the client. */
  readonly closing: CloseOptions
  /** Which of the options given mean nothing below MQTT 5.0. */
  readonly only5: readonly string[]
  /** Tell on stderr what happens. */
  readonly debug: boolean
  /** Tell nothing there but failures. */
  readonly quiet: boolean
  /** The saved server whose password is to be asked for. */
  readonly askFor?: string
}

/** @param packets Those of the command that `--property` is for. */
export function addConnectionOptions(command: CommandLine, packets: readonly PropertyPacket[]): CommandLine {
  return addServerOptions(addPropertyOption(command, packets))
    .helpOption('--help', 'print this') // -h is the host here, as in mosquitto's clients
    .usage('[options] [@name|url]')
    .argument('[server]', '@name of a saved server, or a URL as --url has it', serverArgument)
    .option('-h, --host <host>', 'server to connect to (default: localhost)')
    .option('-p, --port <port>', 'its port (default: 1883, TLS 8883, WebSocket 80, both 443)', wholeNumber(1, 65_535))
    .option('-i, --id <id>', 'client identifier (default: a random one)')
    .option('-c, --disable-clean-session', 'keep the session on the server; needs --id')
    .option('-u, --username <name>', 'user name')
    .option('-P, --pw <password>', 'password; below MQTT 5.0 it needs --username')
    .option('--pw-file <file>', 'a file whose first line is the password: nobody sees it in the list of processes')
    .option('-k, --keepalive <seconds>', 'keep alive; 0 turns it off', wholeNumber(0, 65_535), 60)
    .option(
      '-V, --protocol-version <version>',
      'mqttv5, mqttv311 or mqttv31 (default: mqttv5, and mqttv311 if the server refuses that)',
      protocolVersion,
    )
    .option(
      '-x, --session-expiry-interval <seconds>',
      'keep the session so long after the connection, -1: for ever (default: 0; with -c: for ever)',
      sessionExpiry,
    )
    .option('-d, --debug', 'tell on stderr what happens')
    .option('--quiet', 'tell nothing on stderr but failures')
    .option('--proxy <url>', 'go through a proxy: socks5h://[user:password@]host[:port], or http://… (CONNECT)', proxy)
    .option('--will-topic <topic>', 'topic of the will: what the server publishes when this client vanishes', topicName)
    .option('--will-payload <message>', 'message of the will (default: empty)')
    .option('--will-qos <qos>', 'QoS of the will (default: 0)', qos)
    .option('--will-retain', 'retain the will')
}

/**
 * What the flags ask for. A flag goes before what --url says.
 * @param others Further options given that mean nothing below MQTT 5.0.
 * @throws CommandError for flags that do not go together.
 */
export function connectionSettings(flags: ConnectionFlags, others: readonly string[] = []): ConnectionSettings {
  const { property = {}, protocolVersion } = flags
  if (flags.disableCleanSession && flags.id === undefined) {
    throw new CommandError('--disable-clean-session keeps a session under a name; give one with --id')
  }
  const only5 = [
    ...(flags.property === undefined ? [] : ['--property']),
    ...(flags.sessionExpiryInterval === undefined ? [] : ['--session-expiry-interval']),
    ...others,
  ]
  if (protocolVersion !== undefined && protocolVersion < 5 && only5.length > 0) {
    throw new CommandError(`${only5[0]} is for MQTT 5.0; leave it out, or --protocol-version`)
  }
  const will = willOf(flags)
  const tls = tlsOf(flags)
  if (flags.quiet && flags.debug) throw new CommandError('--quiet and --debug are opposites; leave one of them out')
  if (flags.proxy && (flags.unix ?? (flags.url?.transport === 'unix' || undefined)) !== undefined) {
    throw new CommandError('a Unix domain socket is reached without a proxy; leave out --proxy')
  }
  return {
    server: serverOf(flags, tls !== undefined),
    options: {
      ...(tls && { tls }),
      ...(protocolVersion !== undefined && { version: protocolVersion, fallback: false }),
      clean: flags.disableCleanSession !== true,
      keepAliveSeconds: flags.keepalive,
      ...(flags.id !== undefined && { clientId: flags.id }),
      ...credentialsOf(flags),
      ...(will && { will }),
      ...(flags.proxy && { dial: dialThrough(flags.proxy) }),
      ...connectOptionsOf(property.connect, flags),
    },
    closing: closingOf(property.disconnect),
    only5,
    debug: flags.debug === true,
    quiet: flags.quiet === true,
    ...(asksForPassword(flags) && { askFor: flags.asksForPassword! }),
  }
}

function credentialsOf(flags: ConnectionFlags): Credentials {
  const username = flags.username ?? flags.url?.username
  if (flags.pw !== undefined && flags.pwFile !== undefined && !flags.asksForPassword) {
    throw new CommandError('--pw and --pw-file are two passwords; leave one of them out')
  }
  const password = flags.pw ?? (flags.pwFile === undefined ? flags.url?.password : passwordIn(flags.pwFile))
  if (password !== undefined && username === undefined && (flags.protocolVersion ?? 5) < 5) {
    throw new CommandError('MQTT 3.1.1 takes no password without a user name; add --username')
  }
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}

/** A saved server that has a user name and no password. */
function asksForPassword({ asksForPassword: named, username, url, pw, pwFile }: ConnectionFlags): boolean {
  const lacksIt = pw === undefined && pwFile === undefined && url?.password === undefined
  return named !== undefined && lacksIt && (username ?? url?.username) !== undefined
}

function willOf(flags: ConnectionFlags): WillOptions | undefined {
  const { willTopic, willPayload, willQos, willRetain } = flags
  const given = flags.property?.will
  if (willTopic === undefined) {
    if (willPayload === undefined && willQos === undefined && !willRetain && !given) return undefined
    throw new CommandError('a will needs a topic; add --will-topic')
  }
  const { willDelayInterval, ...properties } = given ?? {}
  return {
    topic: willTopic,
    payload: willPayload ?? '',
    qos: willQos ?? 0,
    retain: willRetain === true,
    ...(willDelayInterval !== undefined && { delaySeconds: willDelayInterval }),
    ...(Object.keys(properties).length > 0 && { properties }),
  }
}

/** The options of the client that stand for properties of CONNECT. */
function connectOptionsOf(properties: PropertiesOf<'connect'> = {}, flags: ConnectionFlags): ConnectOptions {
  const {
    sessionExpiryInterval,
    maximumPacketSize,
    authenticationMethod,
    authenticationData,
    userProperties,
    ...same
  } = properties
  if (sessionExpiryInterval !== undefined && flags.sessionExpiryInterval !== undefined) {
    throw new CommandError('the session expiry interval is given twice; leave out --session-expiry-interval')
  }
  const expiry = flags.sessionExpiryInterval ?? secondsOf(sessionExpiryInterval)
  if (expiry === Number.POSITIVE_INFINITY && flags.id === undefined) {
    throw new CommandError('a session that never expires is kept under a name; give one with --id')
  }
  if (authenticationData !== undefined && authenticationMethod === undefined) {
    throw new CommandError('authentication-data needs an authentication-method; add it with --property')
  }
  return {
    ...same,
    ...(userProperties && { properties: { userProperties } }),
    ...(expiry !== undefined && { sessionExpirySeconds: expiry }),
    ...(maximumPacketSize !== undefined && { maxPacketBytes: Math.min(maximumPacketSize, largestPacket) }),
    ...(authenticationMethod !== undefined && {
      authentication: {
        method: authenticationMethod,
        start: () => authenticationData,
        continue: () => Promise.reject(new Error('the server asks for more than authentication-data')),
      },
    }),
  }
}

/** The most bytes a packet can have; a larger limit is none. */
const largestPacket = 268_435_460

function closingOf({ sessionExpiryInterval, userProperties }: PropertiesOf<'disconnect'> = {}): CloseOptions {
  const expiry = secondsOf(sessionExpiryInterval)
  return {
    ...(expiry !== undefined && { sessionExpirySeconds: expiry }),
    ...(userProperties && { properties: { userProperties } }),
  }
}

/** A Session Expiry Interval as the client takes it: the greatest value means never (section 3.1.2.11.2). */
function secondsOf(interval: number | undefined): number | undefined {
  return interval === 0xffff_ffff ? Number.POSITIVE_INFINITY : interval
}

function sessionExpiry(text: string): number {
  if (text === '-1' || text === '∞' || text === '4294967295') return Number.POSITIVE_INFINITY
  if (/^\d+$/.test(text) && Number(text) < 0xffff_ffff) return Number(text)
  throw new InvalidArgumentError('it takes whole seconds up to 4294967294, or -1 for a session that never expires.')
}
