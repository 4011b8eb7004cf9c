import { randomBytes } from 'node:crypto'
import type { Client, Message, PropertiesOf } from '@godwit/client'
import { isTopicName, type QoS } from '@godwit/protocol'
import { qos, topicFilter } from '../argument-values.js'
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
import { Ending } from '../ending.js'
import { Narrator } from '../narrator.js'
import { withAskedPassword } from '../password-question.js'
import { addPrintingOptions, formatOf, type PrintingFlags } from '../printing-options.js'
import { withNamedServer } from '../server-argument.js'
import { type Terminal, write } from '../terminal.js'
import { withClient } from '../with-client.js'

interface RrSettings {
  readonly connection: ConnectionSettings
  readonly topic: string
  /** Undefined: the client's own (MQTT 5.0). */
  readonly responseTopic: string | undefined
  readonly content: SingleContent
  readonly qos: QoS
  /** Of the request (MQTT 5.0). */
  readonly properties: PropertiesOf<'publish'>
  readonly printing: PrintingFlags
  /** Whether a retained message counts as the response. */
  readonly stale: boolean
}

interface Flags extends ConnectionFlags, PrintingFlags, ContentFlags {
  readonly responseTopic?: string
  readonly qos: QoS
  /** False with `-R`. */
  readonly stale: boolean
}

const manual: Manual = {
  name: 'rr',
  summary: 'Publishes a request, waits for a response and prints it.',
  examples: [
    ['godwit rr -t clock/ask -m now -W 5', 'exit code 27 when nobody answers in 5 seconds'],
    ['godwit rr -t camera/take -n -N > photo.jpg'],
    ['godwit rr -t clock/ask -e clock/answer/me -m now -V 311', 'the responder must know that topic'],
  ],
  notes: [
    'The server hands the request to whoever subscribes to its topic. In MQTT 5.0 it says where the response goes (Response Topic) and what it answers (Correlation Data); --response-topic is needed only below that.',
  ],
}

export function rrLine(): CommandLine {
  const command = addContentOptions(commandLine(manual))
    .option('-e, --response-topic <topic>', 'topic on which the response comes (default: one of its own)', topicFilter)
    .option('-q, --qos <qos>', 'QoS of the request, and the highest of the response', qos, 0)
    .option('-R, --no-stale', 'take no retained message for the response')
  return addConnectionOptions(addPrintingOptions(command), ['connect', 'will', 'publish', 'disconnect'])
}

/**
 * Reads the command line.
 * @throws CommandError
 */
export function rrSettings(args: readonly string[], terminal: Terminal): RrSettings | typeof helped {
  const command = rrLine()
  const given = parse<Flags>(command, args, terminal)
  if (given === helped) return helped
  const flags = withNamedServer(given, command.processedArgs[0] as string | undefined)
  return {
    connection: connectionSettings(flags),
    topic: topicOf(flags),
    responseTopic: responseTopicOf(flags),
    content: contentOf(flags),
    qos: flags.qos,
    properties: flags.property?.publish ?? {},
    printing: flags,
    stale: flags.stale,
  }
}

/** @throws CommandError when the response could not be told from other messages. */
function responseTopicOf({ responseTopic, property, protocolVersion = 5 }: Flags): string | undefined {
  const { responseTopic: twice, correlationData } = property?.publish ?? {}
  if (twice !== undefined) throw new CommandError('--response-topic gives the property response-topic; use that')
  if (responseTopic === undefined) {
    if (protocolVersion < 5) throw new CommandError(needsResponseTopic)
    if (correlationData !== undefined) {
      throw new CommandError('correlation-data goes with a response topic of yours; add --response-topic')
    }
  } else if (protocolVersion === 5 && !isTopicName(responseTopic)) {
    throw new CommandError(
      `'${responseTopic}' is no topic to respond to: only below MQTT 5.0 --response-topic takes wildcards`,
    )
  }
  return responseTopic
}

const needsResponseTopic =
  'below MQTT 5.0 a request does not say where the response goes; add --response-topic, which the responder must know'

/** `godwit rr`: publishes a request, and prints what answers it. */
export async function rr(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = rrSettings(args, terminal)
  if (settings === helped) return 0
  const { printing } = settings
  const connection = await withAskedPassword(settings.connection, terminal)
  const payload = await payloadOf(settings.content, terminal)
  const narrator = new Narrator(terminal, 'rr', connection)
  const end = new Ending(terminal, printing.timeout)
  try {
    await withClient(connection, narrator, { keepTrying: false, signal: end.signal }, async (client) => {
      const response = await request(client, payload, settings, narrator)
      const format = await formatOf(printing, narrator, terminal)
      if (response) await write(terminal.stdout, format(response, Date.now()))
      response?.ack()
    })
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
  end.throwIfTimedOut()
  return 0
}

function request(
  client: Client,
  payload: Uint8Array,
  settings: RrSettings,
  narrator: Narrator,
): Promise<Message | undefined> {
  const { topic, responseTopic, qos, properties } = settings
  if (responseTopic !== undefined) return requestOnOwnTopic(client, payload, { ...settings, responseTopic }, narrator)
  if (client.version < 5) throw new CommandError(`the server speaks MQTT 3.1.1: ${needsResponseTopic}`)
  return client.request(topic, payload, { qos, properties, timeoutMs: 0 })
}

/** Subscribes first, so that no answer can be too fast. */
async function requestOnOwnTopic(
  client: Client,
  payload: Uint8Array,
  { topic, responseTopic, qos, stale, properties }: RrSettings & { readonly responseTopic: string },
  narrator: Narrator,
): Promise<Message | undefined> {
  const correlationData = properties.correlationData ?? randomBytes(16)
  const responses = (await client.subscribe(responseTopic, { qos }))[Symbol.asyncIterator]()
  narrator.debug(`subscribed to '${responseTopic}'`)
  await client.publish(topic, payload, { qos, properties: { ...properties, responseTopic, correlationData } })
  narrator.debug(`published ${payload.length} bytes to '${topic}'`)
  for (let next = await responses.next(); !next.done; next = await responses.next()) {
    const { retain, properties: { correlationData: theirs = correlationData } = {} } = next.value
    // Responders may leave Correlation Data out, as all do below 5.0; other than ours answers another request.
    if ((stale || !retain) && Buffer.compare(theirs, correlationData) === 0) return next.value
  }
  return undefined
}
