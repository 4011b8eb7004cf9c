import type { SessionView } from '@godwit/broker'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { count, until } from '../control/figures.js'
import { type ListFlags, type Listing, printList, withListOptions } from '../control/listing.js'
import type { Terminal } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'sessions',
  summary: 'Lists the sessions of a running broker, with and without a connection.',
  examples: [
    ['godwit sessions'],
    ['godwit sessions sensor-', 'those whose Client Identifier has sensor- in it'],
    ['godwit sessions --sort queued --limit 10', 'the deepest queues first'],
    ["godwit sessions --json | jq 'select(.connected | not)'"],
  ],
  notes: ['godwit kick --end-session ends one.'],
}

const listing: Listing<SessionView> = {
  columns: [
    { title: 'CLIENT', text: ({ clientId }) => printed(clientId), least: 12 },
    { title: 'CONNECTED', text: ({ connected, inside }) => (inside ? 'inside' : connected ? 'yes' : 'no') },
    { title: 'QUEUED', text: ({ queued }) => count(queued), align: 'right' },
    { title: 'INFLIGHT', text: ({ inflight }) => count(inflight), align: 'right' },
    { title: 'SUBSCRIPTIONS', text: ({ subscriptions }) => count(subscriptions), align: 'right' },
    { title: 'ENDS', text: ends, align: 'right' },
  ],
  figures: {
    queued: ({ queued }) => queued,
    inflight: ({ inflight }) => inflight,
    subscriptions: ({ subscriptions }) => subscriptions,
  },
}

export function sessionsLine(): CommandLine {
  return withListOptions(commandLine(manual).usage('[options] [search]'), Object.keys(listing.figures!)).argument(
    '[search]',
    'a part of the Client Identifier',
  )
}

/** `godwit sessions`: what outlives connections. */
export async function sessions(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = sessionsLine()
  const flags = parse<ListFlags>(command, args, terminal)
  if (flags === helped) return 0
  return printList({ what: 'sessions', search: command.args[0] }, listing, flags, terminal)
}

function ends({ connected, durable, expiresAt }: SessionView): string {
  if (connected) return durable ? 'later' : 'with it'
  return expiresAt === undefined ? 'never' : until(expiresAt)
}
