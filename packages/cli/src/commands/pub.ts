import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, PublishError, type PublishProperties, type PublishResult } from '@godwit/client'
import { type QoS, reason, reasonName } from '@godwit/protocol'
import { qos, seconds, wholeNumber } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import { commandLine, helped, parse } from '../command-line.js'
import {
  addConnectionOptions,
  type ConnectionFlags,
  type ConnectionSettings,
  connectionSettings,
} from '../connection-options.js'
import {
  addContentOptions,
  type ContentFlags,
  contentOf,
  payloadOf,
  type SingleContent,
  topicOf,
} from '../content-options.js'
import { lines } from '../lines.js'
import { Narrator } from '../narrator.js'
import type { Terminal } from '../terminal.js'
import { withClient } from '../with-client.js'

/** Each line of standard input is a message. */
export interface Lines {
  readonly from: 'lines'
}

export interface PubSettings {
  readonly connection: ConnectionSettings
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  /** MQTT 5.0. */
  readonly properties: PublishProperties
  readonly content: SingleContent | Lines
  /** How often. */
  readonly repeat: number
  readonly repeatDelayMs: number
}

interface Flags extends ConnectionFlags, ContentFlags {
  readonly stdinLine?: true
  readonly qos: QoS
  readonly retain?: true
  readonly repeat?: number
  readonly repeatDelay: number
}

const examples = `  godwit pub -t home/kitchen/temp -m 21.5
  godwit pub -t home/kitchen/temp -m 21.5 -q 1 -r         at least once, and kept for later subscribers
  godwit pub -t home/kitchen/temp -n -r                   clear the retained message
  sensor | godwit pub -h broker.local -t sensor -l -q 1   a message a line
  godwit pub -t home/alarm -m on -q 1 -D publish message-expiry-interval 60 -D publish user-property room kitchen
  godwit pub -L mqtt://user:secret@broker.local/photos -f photo.jpg
`

/**
 * Reads the command line.
 * @throws CommandError
 */
export function pubSettings(args: readonly string[], terminal: Terminal): PubSettings | typeof helped {
  const summary = 'Publishes messages to one topic, and ends when the server has them.'
  const command = addContentOptions(commandLine('pub', summary, examples))
    .option('-l, --stdin-line', 'publish each line of standard input as a message')
    .option('-q, --qos <qos>', '0, at most once; 1, at least once; 2, exactly once', qos, 0)
    .option('-r, --retain', 'have the server keep the message for later subscribers')
    .option('--repeat <n>', 'publish the message so often (default: 1)', wholeNumber(1))
    .option('--repeat-delay <seconds>', 'time between repetitions', seconds, 0)
  const flags = parse<Flags>(
    addConnectionOptions(command, ['connect', 'will', 'publish', 'disconnect']),
    args,
    terminal,
  )
  if (flags === helped) return helped
  const content = contentOf<Lines>(flags, ...(flags.stdinLine ? [{ from: 'lines' } as const] : []))
  if (content.from === 'lines' && flags.repeat !== undefined) {
    throw new CommandError('--repeat does not go with --stdin-line; leave one of them out')
  }
  return {
    connection: connectionSettings(flags),
    topic: topicOf(flags),
    qos: flags.qos,
    retain: flags.retain === true,
    properties: flags.property?.publish ?? {},
    content,
    repeat: flags.repeat ?? 1,
    repeatDelayMs: flags.repeatDelay * 1000,
  }
}

/** `godwit pub`: publishes, and ends when the last message has been acknowledged. */
export async function pub(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = pubSettings(args, terminal)
  if (settings === helped) return 0
  const { connection, content, repeat } = settings
  const narrator = new Narrator(terminal, 'pub', connection.debug)
  const payloads =
    content.from === 'lines' ? lines(terminal.stdin) : repeated(await payloadOf(content, terminal), settings)
  const keepTrying = content.from === 'lines' || repeat > 1
  await withClient(connection, narrator, { keepTrying }, (client) => publishAll(client, payloads, settings, narrator))
  return 0
}

async function* repeated(payload: Uint8Array, settings: PubSettings): AsyncGenerator<Uint8Array, void, undefined> {
  const { repeat, repeatDelayMs } = settings
  for (let n = 0; n < repeat; n++) {
    if (n > 0 && repeatDelayMs > 0) await sleep(repeatDelayMs)
    yield payload
  }
}

/**
 * Publishes in order, each message when the connection has room for it: however many there are, memory holds no more
 * than the in-flight window.
 */
async function publishAll(
  client: Client,
  payloads: AsyncIterable<Uint8Array>,
  { topic, qos, retain, properties }: PubSettings,
  narrator: Narrator,
): Promise<void> {
  const outstanding = new Set<Promise<void>>()
  let lost = 0
  let failure: unknown
  for await (const payload of payloads) {
    await client.ready()
    if (failure !== undefined) break
    const completed = client.publish(topic, payload, { qos, retain, properties }).then(
      (result) => {
        outstanding.delete(completed)
        narrator.debug(`published ${payload.length} bytes to '${topic}'${detailsOf(result)}`)
      },
      (error: unknown) => {
        outstanding.delete(completed)
        if (error instanceof PublishError && losses.has(error.code)) lost++
        else failure ??= error
      },
    )
    outstanding.add(completed)
  }
  await Promise.all(outstanding)
  if (failure !== undefined) throw failure
  if (lost > 0) throw new CommandError(`${lost} messages may be lost with the connection; --qos 1 sends them again`)
}

function detailsOf({ packetId, reasonCode }: PublishResult): string {
  const details = packetId === undefined ? [] : [`packet id ${packetId}`]
  if (reasonCode !== reason.success) details.push(reasonName(reasonCode))
  return details.length > 0 ? ` (${details.join(', ')})` : ''
}

/** What happens to single messages when a connection is lost; the next ones have another. */
const losses: ReadonlySet<PublishError['code']> = new Set(['not-connected', 'connection-lost', 'session-lost'])
