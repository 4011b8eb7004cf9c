import type { Client, Message, SubscribeOptions, Subscription } from '@godwit/client'
import { isTopicFilter, matchesFilter, type QoS, reasonName } from '@godwit/protocol'
import { collect, qos, topicFilter, wholeNumber } from '../argument-values.js'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import {
  addConnectionOptions,
  type ConnectionFlags,
  type ConnectionSettings,
  connectionSettings,
} from '../connection-options.js'
import { Ending } from '../ending.js'
import { Narrator } from '../narrator.js'
import type { OutputFormat } from '../output-format.js'
import { withAskedPassword } from '../password-question.js'
import { addPrintingOptions, formatOf, type PrintingFlags } from '../printing-options.js'
import { withNamedServer } from '../server-argument.js'
import { type Terminal, write } from '../terminal.js'
import { withClient } from '../with-client.js'

interface SubSettings {
  readonly connection: ConnectionSettings
  readonly filters: readonly string[]
  /** Filters of what is not to be printed. */
  readonly filtersOut: readonly string[]
  readonly qos: QoS
  readonly printing: PrintingFlags
  /** Messages to print before it ends; Infinity when none is given. */
  readonly count: number
  /** MQTT 5.0. */
  readonly retainAsPublished: boolean
  /** Which retained messages the server sends: 0, all; 1, for a new subscription; 2, none. MQTT 5.0. */
  readonly retainHandling: 0 | 1 | 2
  readonly properties: NonNullable<SubscribeOptions['properties']>
  /** Whether retained messages are printed. */
  readonly stale: boolean
  /** Whether the first message that is not retained ends it. */
  readonly retainedOnly: boolean
  /** Whether it ends as soon as it has subscribed. */
  readonly subscribeOnly: boolean
}

interface Flags extends ConnectionFlags, PrintingFlags {
  readonly topic?: readonly string[]
  readonly filterOut?: readonly string[]
  readonly qos: QoS
  readonly count?: number
  /** False with `-R`. */
  readonly stale: boolean
  readonly retainedOnly?: true
  readonly retainAsPublished?: true
  readonly retainHandling?: 0 | 1 | 2
  readonly exitOnSubscribed?: true
}

const manual: Manual = {
  name: 'sub',
  summary: 'Subscribes, and prints messages as they come.',
  examples: [
    ['godwit sub -t home/kitchen/temp'],
    ["godwit sub @plant -t '#' --as json --pretty", 'of a saved server; see godwit help server'],
    ["godwit sub -t 'home/#' -v", 'with topics'],
    ["godwit sub -t 'home/#' -F '%I %t %p'", 'with time and topic'],
    ["godwit sub -t 'home/+/temp' -C 1 -W 10", 'one message, or exit code 27 after 10 seconds'],
    ["godwit sub -t 'home/#' -c -i dashboard -q 1", 'nothing is missed between two runs'],
    ["godwit sub -t 'home/#' --retained-only -v", 'what is retained'],
  ],
}

export function subLine(): CommandLine {
  const command = commandLine(manual)
    .option('-t, --topic <filter>', 'topic filter to subscribe to; may be repeated', collect(topicFilter))
    .option('-T, --filter-out <filter>', 'do not print what matches; may be repeated', collect(topicFilter))
    .option('-q, --qos <qos>', 'the highest QoS to receive at', qos, 0)
    .option('-C, --count <n>', 'end after so many messages', wholeNumber(1))
    .option('-R, --no-stale', 'do not print retained messages')
    .option('--retained-only', 'print retained messages only; the first other one ends it')
    .option('--retain-as-published', 'have messages retained or not as their publishers said (MQTT 5.0)')
    .option(
      '--retain-handling <n>',
      'retained messages to be sent: 0, all (default); 1, if the subscription is new; 2, none (MQTT 5.0)',
      qos,
    )
    .option('-E, --exit-on-subscribed', 'end as soon as it has subscribed (with -c: makes the session)')
  return addConnectionOptions(addPrintingOptions(command), ['connect', 'will', 'subscribe', 'disconnect'])
}

/**
 * Reads the command line.
 * @throws CommandError
 */
export function subSettings(args: readonly string[], terminal: Terminal): SubSettings | typeof helped {
  const command = subLine()
  const given = parse<Flags>(command, args, terminal)
  if (given === helped) return helped
  const flags = withNamedServer(given, command.processedArgs[0] as string | undefined)
  if (flags.retainedOnly && !flags.stale) {
    throw new CommandError('-R and --retained-only together print nothing; leave one of them out')
  }
  return {
    connection: connectionSettings(flags, [
      ...(flags.retainAsPublished ? ['--retain-as-published'] : []),
      ...(flags.retainHandling ? ['--retain-handling'] : []),
    ]),
    filters: filtersOf(flags),
    filtersOut: flags.filterOut ?? [],
    qos: flags.qos,
    printing: flags,
    count: flags.count ?? Number.POSITIVE_INFINITY,
    retainAsPublished: flags.retainAsPublished === true,
    retainHandling: flags.retainHandling ?? 0,
    properties: flags.property?.subscribe ?? {},
    stale: flags.stale,
    retainedOnly: flags.retainedOnly === true,
    subscribeOnly: flags.exitOnSubscribed === true,
  }
}

function filtersOf({ topic = [], url }: Flags): readonly string[] {
  if (url?.topic === undefined) {
    if (topic.length === 0) throw new CommandError('there is nothing to subscribe to; add --topic')
    return topic
  }
  if (!isTopicFilter(url.topic)) throw new CommandError(`'${url.topic}' in --url is not a topic filter; see --topic`)
  return [url.topic, ...topic]
}

/** `godwit sub`: prints messages until it is stopped, has enough of them, or its time is over. */
export async function sub(args: readonly string[], terminal: Terminal): Promise<number> {
  const settings = subSettings(args, terminal)
  if (settings === helped) return 0
  const { printing } = settings
  const connection = await withAskedPassword(settings.connection, terminal)
  const narrator = new Narrator(terminal, 'sub', connection)
  const end = new Ending(terminal, printing.timeout)
  try {
    await withClient(connection, narrator, { keepTrying: true, signal: end.signal }, async (client) => {
      const subscription = await subscribe(client, settings, narrator, end.signal)
      if (!settings.subscribeOnly)
        await print(subscription, settings, await formatOf(printing, narrator, terminal), terminal)
    })
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
  end.throwIfTimedOut()
  return 0
}

async function subscribe(
  client: Client,
  { filters, qos, retainAsPublished, retainHandling, properties, subscribeOnly }: SubSettings,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<Subscription> {
  const options = { qos, retainAsPublished, retainHandling, properties, partial: true, signal }
  const subscription = await client.subscribe(filters, options)
  for (const { filter, reasonCode } of subscription.granted) {
    if (reasonCode >= 0x80)
      narrator.warn(`the server refused the subscription to '${filter}': ${reasonName(reasonCode)}`)
    else narrator.hint(`subscribed to '${filter}' at QoS ${reasonCode}${subscribeOnly ? '' : '; Ctrl-C ends it'}`)
  }
  return subscription
}

async function print(
  subscription: Subscription,
  settings: SubSettings,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  let left = settings.count
  // Not `for await`: leaving that loop unsubscribes, and a kept session shall keep its subscriptions.
  const messages = subscription[Symbol.asyncIterator]()
  for (let next = await messages.next(); !next.done; next = await messages.next()) {
    const message = next.value
    if (settings.retainedOnly && !message.retain) return
    if (!isWanted(message, settings)) continue
    if (!(await write(terminal.stdout, format(message, Date.now())))) return
    if (--left === 0) {
      message.ack() // nobody asks for the next one
      return
    }
  }
}

function isWanted(message: Message, { stale, filtersOut }: SubSettings): boolean {
  if (message.retain && !stale) return false
  return !filtersOut.some((filter) => matchesFilter(filter, message.topic))
}
