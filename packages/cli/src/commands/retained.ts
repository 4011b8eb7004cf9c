import type { RetainedView } from '@godwit/broker'
import { isTopicFilter } from '@godwit/protocol'
import { CommandError } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { askOnce, controlPathOf } from '../control/control-client.js'
import type { DeleteAnswer } from '../control/control-protocol.js'
import { bytes, counted, since, until } from '../control/figures.js'
import { type ListFlags, type Listing, printList, withListOptions } from '../control/listing.js'
import { type Terminal, write } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'retained',
  summary: 'Lists the retained messages of a running broker, or deletes some.',
  examples: [
    ['godwit retained'],
    ["godwit retained 'home/#'", 'those whose topic matches'],
    ['godwit retained --sort bytes --limit 10', 'the largest first'],
    ["godwit retained 'old/#' --delete", 'deletes all that match; no subscriber is told'],
  ],
  notes: ['What is in them is shown by godwit sub --retained-only. Those under $SYS are the broker’s own and stay.'],
}

interface Flags extends ListFlags {
  readonly delete?: true
}

type View = Omit<RetainedView, 'payload'>

const listing: Listing<View> = {
  columns: [
    { title: 'TOPIC', text: ({ topic }) => printed(topic), least: 16 },
    { title: 'BYTES', text: ({ payloadBytes }) => bytes(payloadBytes), align: 'right' },
    { title: 'QOS', text: ({ qos }) => String(qos), align: 'right' },
    { title: 'AGE', text: age, align: 'right' },
    { title: 'PUBLISHER', text: ({ publisher }) => (publisher === '' ? '-' : printed(publisher)), least: 9 },
    { title: 'EXPIRES', text: expires, align: 'right' },
  ],
  figures: { bytes: ({ payloadBytes }) => payloadBytes },
}

export function retainedLine(): CommandLine {
  return withListOptions(commandLine(manual).usage('[options] [filter]'), Object.keys(listing.figures!))
    .argument('[filter]', 'a topic filter (default: #)')
    .option('--delete', 'delete those that match the filter')
}

/** `godwit retained`: what is kept for those who subscribe later. */
export async function retained(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = retainedLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [filter] = command.args
  if (filter !== undefined && !isTopicFilter(filter)) throw new CommandError(`${printed(filter)} is not a topic filter`)
  if (!flags.delete) return printList({ what: 'retained', filter }, listing, flags, terminal)
  if (filter === undefined) throw new CommandError("say which to delete: a topic filter; '#' is all of them")
  const { deleted } = await askOnce<DeleteAnswer>(controlPathOf(flags), { request: 'delete-retained', filter })
  await write(terminal.stdout, `deleted ${counted(deleted, 'retained message')}\n`)
  return 0
}

function age({ publishedAt }: View): string {
  return publishedAt === undefined ? '-' : since(publishedAt)
}

function expires({ expiresAt }: View): string {
  return expiresAt === undefined ? 'never' : until(expiresAt) // JSON has no infinity
}
