import type { PageOptions, SharedGroupView, SubscriptionFilter, SubscriptionView } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { chosen, columnsParam, listed, pageParams, pageSchema, sortParam, textParam } from '../listing.js'
import { operation } from '../operation.js'
import type { AdministeredBroker } from '../options.js'
import { Problem } from '../problem.js'
import { count, qos } from '../values.js'

const subscriptionFields = {
  clientId: z.string(),
  filter: z.string().openapi({ description: 'As it was subscribed to, `$share/NAME/` included.' }),
  shareName: z.string().nullable(),
  qos,
  noLocal: z.boolean(),
  retainAsPublished: z.boolean(),
  subscriptionIdentifier: count.openapi({ description: '0: none.' }),
}

const subscription = z.strictObject(subscriptionFields).openapi('Subscription')
const always = ['clientId', 'filter'] as const
const page = pageSchema(subscription.partial().required({ clientId: true, filter: true }), 'SubscriptionPage')

const shown = (view: SubscriptionView): z.infer<typeof subscription> => ({ ...view, shareName: view.shareName ?? null })

type Subscriptions = AdministeredBroker['subscriptions']

const listingOf = (
  subscriptions: Subscriptions,
  which: SubscriptionFilter,
  keep?: (view: SubscriptionView) => boolean,
) => ({
  page: (options: PageOptions) => subscriptions.page({ ...which, ...options }),
  name: ({ clientId, filter }: SubscriptionView) => `${clientId}\0${filter}`,
  ...(keep && { keep }),
})

export const listSubscriptions = operation({
  id: 'listSubscriptions',
  method: 'get',
  path: '/subscriptions',
  tag: 'Look',
  summary: 'The subscriptions of sessions',
  description: 'By Client Identifier, then by Topic Filter. Those of the program around the broker are not among them.',
  query: z.strictObject({
    ...pageParams,
    clientId: textParam('Only those of this client.').optional(),
    filter: textParam('Only those with exactly this Topic Filter.').optional(),
    search: textParam('Only those whose Topic Filter has this text in it, in any case.').optional(),
    columns: columnsParam(Object.keys(subscriptionFields)),
  }),
  answer: { description: 'A page of them.', schema: page },
  async run({ query: { clientId, filter, search, ...asked }, signal }, { broker }) {
    const which = { ...(clientId !== undefined && { clientId }), ...(filter !== undefined && { filter }) }
    const wanted = search?.toLowerCase()
    const keep = ({ filter: one }: SubscriptionView): boolean =>
      wanted === undefined || one.toLowerCase().includes(wanted)
    const { items, next } = await listed(listingOf(broker.subscriptions, which, keep), asked, signal)
    return { body: { items: chosen(items.map(shown), asked.columns, always) as never, next } }
  },
})

export const listReceivers = operation({
  id: 'listReceivers',
  method: 'get',
  path: '/receivers',
  tag: 'Look',
  summary: 'Who would get a message on this topic, and through which Topic Filter',
  description:
    'Every subscription that matches. Of a shared subscription one member gets it; an access rule may still keep it from a client, and No Local from its own publisher.',
  query: z.strictObject({ ...pageParams, topic: textParam('The Topic Name of the message.') }),
  answer: { description: 'A page of subscriptions.', schema: page },
  async run({ query: { topic, ...asked }, signal }, { broker }) {
    const { items, next } = await listed(listingOf(broker.subscriptions, { topic }), asked, signal)
    return { body: { items: items.map(shown), next } }
  },
})

const groupFields = {
  sharedFilter: z.string().openapi({ description: '`$share/NAME/FILTER`.' }),
  shareName: z.string(),
  filter: z.string(),
  members: count,
  waiting: count.openapi({ description: 'Messages that no member has: its lag.' }),
  lent: count.openapi({ description: 'Messages at QoS 1 that members have and have not acknowledged.' }),
  queuedBytes: count,
  durable: z.boolean().openapi({ description: 'What waits outlives the process, if anything does.' }),
}

const group = z.strictObject(groupFields).openapi('SharedGroup')

const member = z.strictObject({
  clientId: z.string(),
  connected: z.boolean(),
  ready: z.boolean().openapi({ description: 'A message would go out to it at once.' }),
  qos,
})

export const listSharedGroups = operation({
  id: 'listSharedGroups',
  method: 'get',
  path: '/shared-groups',
  tag: 'Look',
  summary: 'The shared subscriptions, with their lag',
  description: 'By Topic Filter; `sort=-waiting` has the greatest lag first.',
  query: z.strictObject({
    ...pageParams,
    search: textParam('Only those whose `$share/NAME/FILTER` has this text in it, in any case.').optional(),
    sort: sortParam(['members', 'waiting', 'lent', 'queuedBytes']),
    columns: columnsParam(Object.keys(groupFields)),
  }),
  answer: {
    description: 'A page of them.',
    schema: pageSchema(group.partial().required({ sharedFilter: true }), 'SharedGroupPage'),
  },
  async run({ query: asked, signal }, { broker }) {
    const search = asked.search?.toLowerCase()
    const listing = {
      page: (options: PageOptions) => broker.sharedGroups.page(options),
      keep: ({ sharedFilter }: SharedGroupView) => search === undefined || sharedFilter.toLowerCase().includes(search),
      name: ({ sharedFilter }: SharedGroupView) => sharedFilter,
    }
    const { items, next } = await listed(listing, asked, signal)
    return { body: { items: chosen(items, asked.columns, ['sharedFilter']) as never, next } }
  },
})

export const getSharedGroup = operation({
  id: 'getSharedGroup',
  method: 'get',
  path: '/shared-group',
  tag: 'Look',
  summary: 'One shared subscription, with its members',
  query: z.strictObject({ sharedFilter: textParam('`$share/NAME/FILTER`.') }),
  answer: {
    description: 'As it is now; of the members 1,000 at most, in the order in which they came.',
    schema: z.strictObject({ ...groupFields, memberList: z.array(member) }).openapi('SharedGroupWithMembers'),
  },
  problems: [404],
  async run({ query: { sharedFilter } }, { broker }) {
    const view = await broker.sharedGroups.get(sharedFilter)
    if (!view) throw new Problem('not-found', 'there is no such shared subscription')
    return { body: { ...view, memberList: [...(await broker.sharedGroups.members(sharedFilter))] } }
  },
})
