import type { Client, Message } from '@godwit/client'
import type { QoS } from '@godwit/protocol'
import { qos, topicFilter } from '../argument-values.js'
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
import { Ending } from '../ending.js'
import { Narrator } from '../narrator.js'
import { openClient, toCommandError } from '../open-client.js'
import { addPrintingOptions, formatOf, type PrintingFlags } from '../printing-options.js'
import { type Terminal, write } from '../terminal.js'

export interface RrSettings {
  readonly connection: ConnectionSettings
  readonly topic: string
  readonly responseTopic: string
  readonly content: SingleContent
  readonly qos: QoS
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

const examples = `  godwit rr -t clock/ask -e clock/answer/me -m now -W 5       exit code 27 when nobody answers in 5 seconds
  godwit rr -t camera/take -e camera/photo -n -N > photo.jpg

The server hands the request to whoever subscribes to its topic; in MQTT 3.1.1 they must know the response topic.
`

/**
 * Reads the command line.
 * @throws CommandError
 */
export function rrSettings(args: readonly string[], terminal: Terminal): RrSettings | typeof helped {
  const command = addContentOptions(
    commandLine('rr', 'Publishes a request, waits for a response and prints it.', examples),
  )
    .option('-e, --response-topic <topic>', 'topic on which the response comes', topicFilter)
    .option('-q, --qos <qos>', 'QoS of the request, and the highest of the response', qos, 0)
    .option('-R, --no-stale', 'take no retained message for the response')
  const flags = parse<Flags>(addPrintingOptions(addConnectionOptions(command)), args, terminal)
  if (flags === helped) return helped
  if (flags.responseTopic === undefined) {
    throw new CommandError('there is no topic for the response; add --response-topic')
  }
  return {
    connection: connectionSettings(flags),
    topic: topicOf(flags),
    responseTopic: flags.responseTopic,
    content: contentOf(flags),
    qos: flags.qos,
    printing: flags,
    stale: flags.stale,
  }
}

/** `godwit rr`: subscribes to the response topic first, so that no answer can be too fast. */
export async function rr(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = rrSettings(args, terminal)
  if (settings === helped) return 0
  const { connection, printing } = settings
  const payload = await payloadOf(settings.content, terminal)
  const narrator = new Narrator(terminal, 'rr', connection.debug)
  const end = new Ending(terminal, printing.timeout)
  try {
    const client = await openClient(connection, narrator, { keepTrying: false, signal: end.signal })
    try {
      const response = await request(client, payload, settings, narrator)
      if (response) await write(terminal.stdout, formatOf(printing, narrator)(response, Date.now()))
      response?.ack()
    } finally {
      await client.close()
    }
  } catch (error) {
    if (!end.signal.aborted) throw toCommandError(error)
  }
  end.throwIfTimedOut()
  return 0
}

async function request(
  client: Client,
  payload: Uint8Array,
  { topic, responseTopic, qos, stale }: RrSettings,
  narrator: Narrator,
): Promise<Message | undefined> {
  const responses = (await client.subscribe(responseTopic, { qos }))[Symbol.asyncIterator]()
  narrator.debug(`subscribed to '${responseTopic}'`)
  await client.publish(topic, payload, { qos })
  narrator.debug(`published ${payload.length} bytes to '${topic}'`)
  for (let next = await responses.next(); !next.done; next = await responses.next()) {
    if (stale || !next.value.retain) return next.value
  }
  return undefined
}
