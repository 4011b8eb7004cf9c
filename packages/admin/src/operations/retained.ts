import type { RetainedView } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { chosen, columnsParam, type Listing, listed, pageParams, pageSchema, sortParam, textParam } from '../listing.js'
import { operation } from '../operation.js'
import { Problem } from '../problem.js'
import { count, time, timeOf } from '../values.js'
import {
  type Light,
  light,
  lightPages,
  mayShowPayload,
  messageFields,
  payloadsParam,
  shownMessage,
} from './payloads.js'

const retainedFields = {
  ...messageFields,
  publishedAt: time.nullable().openapi({ description: 'To the second; null: it is not known.' }),
}

const message = z.strictObject(retainedFields).openapi('RetainedMessage')

const shown = (view: Light<RetainedView>): z.infer<typeof message> => ({
  ...shownMessage(view),
  publishedAt: timeOf(view.publishedAt),
})

export const listRetained = operation({
  id: 'listRetained',
  method: 'get',
  path: '/retained',
  tag: 'Look',
  summary: 'Retained messages, by Topic Filter',
  description: 'By topic. Payloads are an operator’s.',
  query: z.strictObject({
    ...pageParams,
    filter: textParam(
      'Only topics that match this Topic Filter. Default `#`, which leaves out what begins with `$`.',
    ).optional(),
    search: textParam('Only topics with this text in them, in any case.').optional(),
    payloads: payloadsParam,
    sort: sortParam(['payloadBytes', 'publisher', 'publishedAt', 'expiresAt']),
    columns: columnsParam(Object.keys(retainedFields)),
  }),
  answer: {
    description: 'A page of them.',
    schema: pageSchema(message.partial().required({ topic: true }), 'RetainedPage'),
  },
  async run({ query: { filter = '#', search, payloads: asks = false, ...asked }, who, signal }, { broker }) {
    mayShowPayload(asks, who)
    if (asks && asked.sort !== undefined)
      throw new Problem('invalid-option', 'payloads come in the order of topics alone')
    const wanted = search?.toLowerCase()
    const listing: Listing<Light<RetainedView>> = {
      ...lightPages((options) => broker.retained.page({ filter, ...options }), asks),
      keep: ({ topic }) => wanted === undefined || topic.toLowerCase().includes(wanted),
      name: ({ topic }) => topic,
    }
    const { items, next } = await listed(listing, asked, signal)
    return { body: { items: chosen(items.map(shown), asked.columns, ['topic']) as never, next } }
  },
})

export const getRetained = operation({
  id: 'getRetained',
  method: 'get',
  path: '/retained/message',
  tag: 'Look',
  summary: 'The retained message of one topic',
  query: z.strictObject({ topic: textParam('Its Topic Name.'), payloads: payloadsParam }),
  answer: { description: 'As it is now.', schema: message },
  problems: [404],
  async run({ query: { topic, payloads: asks = false }, who }, { broker }) {
    mayShowPayload(asks, who)
    const view = await broker.retained.get(topic)
    if (!view) throw new Problem('not-found', 'nothing is retained for this topic')
    return { body: shown(light(view, asks)) }
  },
})

export const deleteRetained = operation({
  id: 'deleteRetained',
  method: 'delete',
  path: '/retained',
  tag: 'Act',
  summary: 'Removes retained messages that match a Topic Filter',
  description: 'No subscriber is told. Those under `$SYS` are the broker’s own and stay.',
  query: z.strictObject({ filter: textParam('Topics that match it.') }),
  answer: {
    description: 'Removed, on the disk too.',
    schema: z.strictObject({ removed: count }).openapi('Removed'),
  },
  act: { message: 'retained messages removed', told: ({ query: { filter } }) => ({ filter }) },
  async run({ query: { filter } }, { broker }) {
    return { body: { removed: await broker.retained.delete(filter) } }
  },
})
