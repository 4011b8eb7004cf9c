import type { SubscriptionView } from '@godwit/broker'
import { type CommandLine, commandLine, helped, type Manual, parse } from '../command-line.js'
import { type ListFlags, type Listing, printList, withListOptions } from '../control/listing.js'
import type { Terminal } from '../terminal.js'
import { printed } from '../text-log.js'

const manual: Manual = {
  name: 'subscriptions',
  summary: 'Lists the subscriptions of all sessions of a running broker.',
  examples: [
    ['godwit subscriptions'],
    ['godwit subscriptions --client lamp'],
    ["godwit subscriptions --filter 'home/#'", 'those with exactly this filter'],
    ['godwit subscriptions --json | jq .filter'],
  ],
}

interface Flags extends ListFlags {
  readonly client?: string
  readonly filter?: string
}

const listing: Listing<SubscriptionView> = {
  columns: [
    { title: 'CLIENT', text: ({ clientId }) => printed(clientId), least: 12 },
    { title: 'FILTER', text: ({ filter }) => printed(filter), least: 16 },
    { title: 'QOS', text: ({ qos }) => String(qos), align: 'right' },
    { title: 'OPTIONS', text: options },
  ],
}

export function subscriptionsLine(): CommandLine {
  return withListOptions(commandLine(manual))
    .option('--client <id>', 'only those of this client')
    .option('--filter <filter>', 'only those with exactly this filter')
}

/** `godwit subscriptions`: who wants what. */
export async function subscriptions(args: readonly string[], terminal: Terminal): Promise<number> {
  const flags = parse<Flags>(subscriptionsLine(), args, terminal)
  if (flags === helped) return 0
  const { client, filter } = flags
  return printList({ what: 'subscriptions', client, filter }, listing, flags, terminal)
}

function options({ noLocal, retainAsPublished, subscriptionIdentifier: id }: SubscriptionView): string {
  const words = [...(noLocal ? ['no local'] : []), ...(retainAsPublished ? ['retain as published'] : [])]
  return [...words, ...(id > 0 ? [`identifier ${id}`] : [])].join(', ')
}
