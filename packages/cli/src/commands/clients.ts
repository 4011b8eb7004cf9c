import type { ClientView } from '@godwit/broker'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { bytes, count, since } from '../control/figures.js'
import { type ListFlags, type Listing, printList, withListOptions } from '../control/listing.js'
import type { Terminal } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'clients',
  summary: 'Lists the clients that are connected to a running broker.',
  examples: [
    ['godwit clients'],
    ['godwit clients lamp', 'those whose Client Identifier has lamp in it'],
    ['godwit clients --user alice'],
    ['godwit clients --sort unsent --limit 10', 'the slowest consumers first'],
    ['godwit clients --json | jq .address'],
  ],
  notes: ['A table fits the terminal: wide columns are cut, and the last ones left out. In a pipe nothing is cut.'],
}

interface Flags extends ListFlags {
  readonly user?: string
}

const listing: Listing<ClientView> = {
  columns: [
    { title: 'CLIENT', text: ({ clientId }) => printed(clientId), least: 12 },
    { title: 'USER', text: ({ username }) => (username === undefined ? '-' : printed(username)), least: 6 },
    { title: 'ADDRESS', text: ({ address }) => (address === '' ? '-' : printed(address)) },
    { title: 'VIA', text: ({ transport }) => transport },
    { title: 'QUEUED', text: ({ queued }) => count(queued), align: 'right' },
    { title: 'UNSENT', text: ({ outboxBytes }) => bytes(outboxBytes), align: 'right' },
    { title: 'INFLIGHT', text: ({ inflight }) => count(inflight), align: 'right' },
    { title: 'SUBSCRIPTIONS', text: ({ subscriptions }) => count(subscriptions), align: 'right' },
    { title: 'FOR', text: ({ connectedAt }) => since(connectedAt), align: 'right' },
    { title: 'MQTT', text: ({ version }) => versions[version] },
  ],
  figures: {
    queued: ({ queued }) => queued,
    unsent: ({ outboxBytes }) => outboxBytes,
    inflight: ({ inflight }) => inflight,
    subscriptions: ({ subscriptions }) => subscriptions,
    age: ({ connectedAt }) => -connectedAt,
  },
}

const versions: Readonly<Record<ClientView['version'], string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' }

export function clientsLine(): CommandLine {
  return withListOptions(commandLine(manual).usage('[options] [search]'), Object.keys(listing.figures!))
    .argument('[search]', 'a part of the Client Identifier')
    .option('--user <name>', 'only those with this user name')
}

/** `godwit clients`: who is connected. */
export async function clients(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = clientsLine()
  const flags = parse<Flags>(command, args, terminal)
  if (flags === helped) return 0
  const [search] = command.args
  return printList({ what: 'clients', search, user: flags.user }, listing, flags, terminal)
}
