import type { PageOptions, QueuedView, SessionView } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import {
  chosen,
  columnsParam,
  flagParam,
  type Listing,
  listed,
  pageParams,
  pageSchema,
  sortParam,
  textParam,
} from '../listing.js'
import { operation } from '../operation.js'
import { Problem } from '../problem.js'
import { count, time, timeOf } from '../values.js'
import { oneClient } from './clients.js'
import { type Light, lightPages, mayShowPayload, messageFields, payloadsParam, shownMessage } from './payloads.js'

const sessionFields = {
  clientId: z.string(),
  connected: z.boolean(),
  inside: z.boolean().openapi({ description: 'Whether it is the program around the broker that uses it now.' }),
  expiresAt: time.nullable().openapi({ description: 'When it ends without a connection; null: never, or it has one.' }),
  durable: z.boolean().openapi({ description: 'Whether it outlives its connection.' }),
  subscriptions: count,
  queued: count.openapi({ description: 'Messages that have not been sent.' }),
  inflight: count.openapi({ description: 'Messages sent at QoS 1 and 2 and not yet acknowledged.' }),
}

const session = z.strictObject(sessionFields).openapi('Session', {
  description: 'A session, with or without a connection.',
})

const shown = (view: SessionView): z.infer<typeof session> => ({ ...view, expiresAt: timeOf(view.expiresAt) })

const query = z.strictObject({
  ...pageParams,
  search: textParam('Only those whose Client Identifier has this text in it, in any case.').optional(),
  connected: flagParam('Only those with a connection, or without.').optional(),
  durable: flagParam('Only those that outlive their connection, or not.').optional(),
  sort: sortParam(['expiresAt', 'subscriptions', 'queued', 'inflight']),
  columns: columnsParam(Object.keys(sessionFields)),
})

export const listSessions = operation({
  id: 'listSessions',
  method: 'get',
  path: '/sessions',
  tag: 'Look',
  summary: 'The sessions of connected clients, and those that wait for theirs',
  description: 'By Client Identifier; `sort=-queued` has the deepest queues first.',
  query,
  answer: {
    description: 'A page of them.',
    schema: pageSchema(session.partial().required({ clientId: true }), 'SessionPage'),
  },
  async run({ query: asked, signal }, { broker }) {
    const search = asked.search?.toLowerCase()
    const listing = {
      page: (options: PageOptions) => broker.sessions.page(options),
      keep: ({ clientId, connected, durable }: SessionView) =>
        (search === undefined || clientId.toLowerCase().includes(search)) &&
        (asked.connected ?? connected) === connected &&
        (asked.durable ?? durable) === durable,
      name: ({ clientId }: SessionView) => clientId,
    }
    const { items, next } = await listed(listing, asked, signal)
    return { body: { items: chosen(items.map(shown), asked.columns, ['clientId']) as never, next } }
  },
})

export const getSession = operation({
  id: 'getSession',
  method: 'get',
  path: '/session',
  tag: 'Look',
  summary: 'One session',
  query: oneClient,
  answer: { description: 'As it is now.', schema: session },
  problems: [404],
  async run({ query: { clientId } }, { broker }) {
    const view = await broker.sessions.get(clientId)
    if (!view) throw noSession()
    return { body: shown(view) }
  },
})

const queued = z
  .strictObject({
    number: count.openapi({ description: 'Its place in the session: it only rises.' }),
    state: z.enum(['waiting', 'sent', 'released']).openapi({
      description: '`waiting`; `sent`, and not acknowledged; `released`: QoS 2, all but PUBCOMP.',
    }),
    ...messageFields,
    retain: z.boolean(),
    shared: z.boolean().openapi({ description: 'It came through a shared subscription.' }),
  })
  .openapi('QueuedMessage')

export const listQueue = operation({
  id: 'listQueue',
  method: 'get',
  path: '/session/queue',
  tag: 'Look',
  summary: 'What waits in a session, and what was sent and is not acknowledged',
  description:
    'In its order. Of a session that ends with its connection, what was sent is not kept. Payloads are an operator’s.',
  query: oneClient.extend({ ...pageParams, payloads: payloadsParam }),
  answer: { description: 'A page of messages.', schema: pageSchema(queued, 'QueuePage') },
  problems: [404],
  async run({ query: { clientId, payloads = false, ...asked }, who, signal }, { broker }) {
    mayShowPayload(payloads, who)
    if (!(await broker.sessions.get(clientId))) throw noSession()
    const listing: Listing<Light<QueuedView>> = {
      ...lightPages((options) => broker.sessions.queue(clientId, options), payloads),
      name: ({ number }) => String(number),
    }
    const { items, next } = await listed(listing, asked, signal)
    return { body: { items: items.map(shownMessage), next } }
  },
})

export const endSession = operation({
  id: 'endSession',
  method: 'delete',
  path: '/session',
  tag: 'Act',
  summary: 'Ends a session, with all that waits for it',
  description: 'A connected client is disconnected, and its will is published.',
  query: oneClient,
  answer: { status: 204, description: 'It is over.', schema: z.undefined() },
  problems: [404],
  act: { message: 'session ended', told: ({ query: { clientId } }) => ({ clientId }) },
  async run({ query: { clientId } }, { broker }) {
    if (!(await broker.sessions.end(clientId))) throw noSession()
    return { body: undefined }
  },
})

function noSession(): Problem {
  return new Problem('not-found', 'there is no session of this Client Identifier')
}
