import type { ConnectOptions, Credentials, WillOptions } from '@godwit/client'
import type { QoS } from '@godwit/protocol'
import { type Command, InvalidArgumentError } from 'commander'
import { qos, topicName, wholeNumber } from './argument-values.js'
import { CommandError } from './command-error.js'
import { parseServerUrl, type ServerUrl } from './server-url.js'

/** The flags that pub, sub and rr have in common, as people know them from mosquitto_pub and mosquitto_sub. */
export interface ConnectionFlags {
  readonly host?: string
  readonly port?: number
  readonly url?: ServerUrl
  readonly id?: string
  readonly disableCleanSession?: true
  readonly username?: string
  readonly pw?: string
  readonly keepalive: number
  readonly protocolVersion?: true
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
  /** Tell on stderr what happens. */
  readonly debug: boolean
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('-h, --host <host>', 'server to connect to (default: localhost)')
    .option('-p, --port <port>', 'its port (default: 1883)', wholeNumber(1, 65_535))
    .option('-L, --url <url>', 'all in one: mqtt://[user[:password]@]host[:port]/topic', serverUrl)
    .option('-i, --id <id>', 'client identifier (default: a random one)')
    .option('-c, --disable-clean-session', 'keep the session on the server; needs --id')
    .option('-u, --username <name>', 'user name')
    .option('-P, --pw <password>', 'password; needs --username')
    .option('-k, --keepalive <seconds>', 'keep alive; 0 turns it off', wholeNumber(0, 65_535), 60)
    .option(
      '-V, --protocol-version <version>',
      'mqttv311, or 311: this version speaks MQTT 3.1.1 only',
      protocolVersion,
    )
    .option('-d, --debug', 'tell on stderr what happens')
    .option('--will-topic <topic>', 'topic of the will: what the server publishes when this client vanishes', topicName)
    .option('--will-payload <message>', 'message of the will (default: empty)')
    .option('--will-qos <qos>', 'QoS of the will (default: 0)', qos)
    .option('--will-retain', 'retain the will')
}

/**
 * What the flags ask for. A flag goes before what --url says.
 * @throws CommandError for flags that do not go together.
 */
export function connectionSettings(flags: ConnectionFlags): ConnectionSettings {
  const { url } = flags
  if (flags.disableCleanSession && flags.id === undefined) {
    throw new CommandError('--disable-clean-session keeps a session under a name; give one with --id')
  }
  const host = flags.host ?? url?.host ?? 'localhost'
  const will = willOf(flags)
  return {
    server: `mqtt://${host.includes(':') ? `[${host}]` : host}:${flags.port ?? url?.port ?? 1883}`,
    options: {
      clean: flags.disableCleanSession !== true,
      keepAliveSeconds: flags.keepalive,
      ...(flags.id !== undefined && { clientId: flags.id }),
      ...credentialsOf(flags),
      ...(will && { will }),
    },
    debug: flags.debug === true,
  }
}

function credentialsOf(flags: ConnectionFlags): Credentials {
  const username = flags.username ?? flags.url?.username
  const password = flags.pw ?? flags.url?.password
  if (password !== undefined && username === undefined) {
    throw new CommandError('MQTT 3.1.1 takes no password without a user name; add --username')
  }
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}

function willOf(flags: ConnectionFlags): WillOptions | undefined {
  const { willTopic, willPayload, willQos, willRetain } = flags
  if (willTopic === undefined) {
    if (willPayload === undefined && willQos === undefined && !willRetain) return undefined
    throw new CommandError('a will needs a topic; add --will-topic')
  }
  return { topic: willTopic, payload: willPayload ?? '', qos: willQos ?? 0, retain: willRetain === true }
}

function protocolVersion(text: string): true {
  if (['mqttv311', '311', '4'].includes(text)) return true
  if (['mqttv31', '31', '3', 'mqttv5', '5'].includes(text)) {
    throw new InvalidArgumentError('this version of godwit speaks MQTT 3.1.1 only: use mqttv311.')
  }
  throw new InvalidArgumentError('it takes mqttv311 or 311.')
}

function serverUrl(text: string): ServerUrl {
  const parsed = parseServerUrl(text)
  if (typeof parsed === 'string') throw new InvalidArgumentError(parsed)
  return parsed
}
