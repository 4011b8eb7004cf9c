import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, PublishError, type PublishProperties, type PublishResult } from '@godwit/client'
import { type QoS, reason, reasonName } from '@godwit/protocol'
import { qos, seconds, wholeNumber } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
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
import { interval, type MessageTemplate, messageTemplate, templateWords } from '../message-template.js'
import { Narrator } from '../narrator.js'
import { withAskedPassword } from '../password-question.js'
import { Patience } from '../patience.js'
import { withNamedServer } from '../server-argument.js'
import type { Terminal } from '../terminal.js'
import { withClient } from '../with-client.js'

/** Each line of standard input is a message. */
export interface Lines {
  readonly from: 'lines'
}

/** A message that is made anew each time. */
export interface Template {
  readonly from: 'template'
  readonly template: MessageTemplate
}

interface PubSettings {
  readonly connection: ConnectionSettings
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  /** MQTT 5.0. */
  readonly properties: PublishProperties
  readonly content: SingleContent | Lines | Template
  /** How often. */
  readonly repeat: number
  /** Between two, counted from the beginning of each. */
  readonly repeatDelayMs: number
}

interface Flags extends ConnectionFlags, ContentFlags {
  readonly stdinLine?: true
  readonly qos: QoS
  readonly retain?: true
  readonly repeat?: number
  readonly repeatDelay: number
  /** Milliseconds. */
  readonly every?: number
  readonly template?: MessageTemplate
}

const manual: Manual = {
  name: 'pub',
  summary: 'Publishes messages to one topic, and ends when the server has them.',
  examples: [
    ['godwit pub -t home/kitchen/temp -m 21.5'],
    ['godwit pub -t home/kitchen/temp -m 21.5 -q 1 -r', 'at least once, and kept for later subscribers'],
    ['godwit pub -t home/kitchen/temp -n -r', 'clear the retained message'],
    ['sensor | godwit pub -h broker.local -t sensor -l -q 1', 'a message a line'],
    ['godwit pub -t home/alarm -m on -q 1 -D publish message-expiry-interval 60 -D publish user-property room kitchen'],
    ['godwit pub -L mqtt://user:secret@broker.local/photos -f photo.jpg'],
    [`godwit pub -t demo/temp --every 1s --template '{"t": {{random 18 25}}}'`, 'for demonstrations'],
  ],
  lists: [{ title: 'In a template', rows: templateWords }],
}

export function pubLine(): CommandLine {
  const command = addContentOptions(commandLine(manual))
    .option('-l, --stdin-line', 'publish each line of standard input as a message')
    .option('-q, --qos <qos>', '0, at most once; 1, at least once; 2, exactly once', qos, 0)
    .option('-r, --retain', 'have the server keep the message for later subscribers')
    .option('--template <text>', 'a message that is made anew each time; see below', messageTemplate)
    .option('--every <time>', 'publish a message so often, as 1s, 500ms or 2m, until Ctrl-C or --repeat', interval)
    .option('--repeat <n>', 'publish the message so often (default: 1; with --every: for ever)', wholeNumber(1))
    .option('--repeat-delay <seconds>', 'time between repetitions', seconds, 0)
  return addConnectionOptions(command, ['connect', 'will', 'publish', 'disconnect'])
}

/**
 * Reads the command line.
 * @throws CommandError
 */
export function pubSettings(args: readonly string[], terminal: Terminal): PubSettings | typeof helped {
  const command = pubLine()
  const given = parse<Flags>(command, args, terminal)
  if (given === helped) return helped
  const flags = withNamedServer(given, command.processedArgs[0] as string | undefined)
  const { stdinLine, template, repeat, every, repeatDelay } = flags
  const content = contentOf<Lines | Template>(
    flags,
    ...(stdinLine ? [{ from: 'lines' } as const] : []),
    ...(template ? [{ from: 'template', template } as const] : []),
  )
  if (content.from === 'lines' && (repeat !== undefined || every !== undefined)) {
    const flag = repeat === undefined ? '--every' : '--repeat'
    throw new CommandError(`${flag} does not go with --stdin-line; leave one of them out`)
  }
  if (every !== undefined && repeatDelay > 0) {
    throw new CommandError('--every and --repeat-delay say the same; leave one of them out')
  }
  return {
    connection: connectionSettings(flags),
    topic: topicOf(flags),
    qos: flags.qos,
    retain: flags.retain === true,
    properties: flags.property?.publish ?? {},
    content,
    repeat: repeat ?? (every === undefined ? 1 : Number.POSITIVE_INFINITY),
    repeatDelayMs: every ?? repeatDelay * 1000,
  }
}

/** `godwit pub`: publishes, and ends when the last message has been acknowledged. */
export async function pub(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = pubSettings(args, terminal)
  if (settings === helped) return 0
  const { content, repeat } = settings
  const connection = await withAskedPassword(settings.connection, terminal)
  const narrator = new Narrator(terminal, 'pub', connection)
  // Ctrl-C is how a schedule ends; anything else it simply stops.
  const stopping = repeat === Number.POSITIVE_INFINITY ? terminal.stopping() : undefined
  const payloads =
    content.from === 'lines' ? lines(terminal.stdin) : scheduled(await makerOf(content, terminal), settings, stopping)
  const keepTrying = content.from === 'lines' || repeat > 1
  await withClient(connection, narrator, { keepTrying }, async (client) => {
    if (stopping) narrator.hint(`publishing to '${settings.topic}'; Ctrl-C ends it`)
    await publishAll(client, payloads, settings, narrator)
  })
  return 0
}

async function makerOf(content: SingleContent | Template, terminal: Terminal): Promise<(at: number) => Uint8Array> {
  if (content.from === 'template') return (at) => Buffer.from(content.template(at))
  const payload = await payloadOf(content, terminal)
  return () => payload
}

/** Payloads at their times: a late one makes the next ones no later. */
async function* scheduled(
  make: (at: number) => Uint8Array,
  { repeat, repeatDelayMs }: PubSettings,
  stopping: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const begun = performance.now()
  for (let n = 0; n < repeat && !stopping?.aborted; n++) {
    const wait = begun + n * repeatDelayMs - performance.now()
    if (n > 0 && wait > 0) await sleep(wait, undefined, { signal: stopping }).catch(() => {})
    if (stopping?.aborted) return
    yield make(n + 1)
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
  const waiting = new Patience(qos > 0, () => narrator.warn(`the server has not acknowledged the message yet; waiting`))
  let lost = 0
  let failure: unknown
  for await (const payload of payloads) {
    await client.ready()
    if (failure !== undefined) break
    waiting.begin()
    const completed = client.publish(topic, payload, { qos, retain, properties }).then(
      (result) => {
        outstanding.delete(completed)
        waiting.end()
        narrator.debug(
          `${qos === 0 ? 'sent' : 'published'} ${bytesInWords(payload)} to '${topic}'${detailsOf(result, qos)}`,
        )
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
  waiting.end()
  if (failure !== undefined) throw failure
  if (lost > 0) throw new CommandError(`${lost} messages may be lost with the connection; --qos 1 sends them again`)
}

function bytesInWords({ length }: Uint8Array): string {
  return length === 1 ? '1 byte' : `${length} bytes`
}

/** At QoS 0 there is no answer: a rule that denies the topic is told by nobody. */
const atQos0 = ' (QoS 0: no server says whether it took it, or denied it; -q 1 asks for that)'

function detailsOf({ packetId, reasonCode }: PublishResult, qos: QoS): string {
  if (qos === 0) return atQos0
  const details = packetId === undefined ? [] : [`packet id ${packetId}`]
  if (reasonCode !== reason.success) details.push(reasonName(reasonCode))
  return details.length > 0 ? ` (${details.join(', ')})` : ''
}

/** What happens to single messages when a connection is lost; the next ones have another. */
const losses: ReadonlySet<PublishError['code']> = new Set(['not-connected', 'connection-lost', 'session-lost'])
