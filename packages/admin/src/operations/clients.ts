import type { ClientView, PageOptions } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { chosen, columnsParam, listed, pageParams, pageSchema, sortParam, textParam } from '../listing.js'
import { operation } from '../operation.js'
import { Problem } from '../problem.js'
import { count, time, timeOf, versionName } from '../values.js'
import { counted as dropCount, counts as dropCounts } from './drops.js'

const clientFields = {
  clientId: z.string(),
  username: z.string().nullable(),
  address: z.string().openapi({ description: 'Empty where there is none.' }),
  transport: z.string().openapi({ description: '`tcp`, `tls`, `ws`, `wss`, `unix`, `memory` or `stream`.' }),
  listener: z.string().nullable().openapi({ description: 'The name of the listener it came to.' }),
  version: z.string().openapi({ description: 'Of MQTT: `3.1`, `3.1.1` or `5.0`.' }),
  connectedAt: time,
  keepAliveSeconds: count.openapi({ description: '0: none.' }),
  cleanStart: z.boolean(),
  subscriptions: count,
  inflight: count.openapi({ description: 'Messages sent at QoS 1 and 2 and not yet acknowledged.' }),
  queued: count.openapi({ description: 'Messages that wait for room.' }),
  outboxBytes: count.openapi({ description: 'Bytes that wait for its socket.' }),
  bridge: z.boolean().openapi({ description: 'A bridge that has marked itself as one.' }),
  tls: z
    .strictObject({ protocol: z.string(), cipher: z.string() })
    .nullable()
    .openapi({ description: 'What its TLS handshake has agreed on; null: it came without TLS.' }),
  certificate: z
    .strictObject({
      subject: z.string(),
      commonName: z.string().nullable(),
      altNames: z.array(z.string()),
      fingerprint: z.string(),
    })
    .nullable()
    .openapi({ description: 'What it has shown in the TLS handshake, where it was asked to.' }),
}

const client = z.strictObject(clientFields).openapi('Client', { description: 'A client that is connected.' })

type Client = z.infer<typeof client>

const shown = ({ username, listener, version, connectedAt, tls, certificate, ...rest }: ClientView): Client => ({
  ...rest,
  username: username ?? null,
  listener: listener ?? null,
  tls: tls ?? null,
  certificate: certificate
    ? { ...certificate, commonName: certificate.commonName ?? null, altNames: [...certificate.altNames] }
    : null,
  version: versionName(version),
  connectedAt: timeOf(connectedAt)!,
})

const sortable = ['username', 'address', 'connectedAt', 'subscriptions', 'inflight', 'queued', 'outboxBytes']

const query = z.strictObject({
  ...pageParams,
  search: textParam(
    'Only those whose Client Identifier, user name or address has this text in it, in any case.',
  ).optional(),
  username: textParam('Only those of this user.').optional(),
  address: textParam('Only those from this address.').optional(),
  transport: textParam('Only those over this transport.').optional(),
  version: z
    .enum(['3.1', '3.1.1', '5.0'])
    .optional()
    .openapi({ description: 'Only those that speak this version of MQTT.' }),
  sort: sortParam(sortable),
  columns: columnsParam(Object.keys(clientFields)),
})

function keeps(asked: z.output<typeof query>): (client: ClientView) => boolean {
  const search = asked.search?.toLowerCase()
  return ({ clientId, username, address, transport, version }) =>
    (search === undefined || [clientId, username ?? '', address].some((text) => text.toLowerCase().includes(search))) &&
    (asked.username ?? username) === username &&
    (asked.address ?? address) === address &&
    (asked.transport ?? transport) === transport &&
    (asked.version === undefined || asked.version === versionName(version))
}

export const listClients = operation({
  id: 'listClients',
  method: 'get',
  path: '/clients',
  tag: 'Look',
  summary: 'The clients that are connected',
  description:
    'By Client Identifier; `sort=-queued` has the deepest queues first, `sort=-outboxBytes` the slowest readers.',
  query,
  answer: {
    description: 'A page of them.',
    schema: pageSchema(client.partial().required({ clientId: true }), 'ClientPage'),
  },
  async run({ query: asked, signal }, { broker }) {
    const listing = {
      page: (options: PageOptions) => broker.clients.page(options),
      keep: keeps(asked),
      name: ({ clientId }: ClientView) => clientId,
    }
    const { items, next } = await listed(listing, asked, signal)
    return { body: { items: chosen(items.map(shown), asked.columns, ['clientId']) as never, next } }
  },
})

export const oneClient = z.strictObject({ clientId: textParam('Its Client Identifier.') })

export const getClient = operation({
  id: 'getClient',
  method: 'get',
  path: '/client',
  tag: 'Look',
  summary: 'One client that is connected',
  query: oneClient,
  answer: {
    description: 'As it is now, and what was dropped for it in the last hour. Its messages are in `/session/queue`.',
    schema: z.strictObject({ ...clientFields, dropped: z.array(dropCount) }).openapi('ClientWithDrops'),
  },
  problems: [404],
  async run({ query: { clientId } }, { broker, drops }) {
    const view = await broker.clients.get(clientId)
    if (!view) throw notConnected()
    return { body: { ...shown(view), dropped: dropCounts(await drops.of(clientId)) } }
  },
})

const farewell = z
  .strictObject({
    reasonCode: z
      .int()
      .min(0x80)
      .max(0xff)
      .optional()
      .openapi({ description: 'Of DISCONNECT. Default 152, Administrative action.' }),
    reasonString: z
      .string()
      .max(1_000)
      .optional()
      .openapi({ description: 'In words, for a client of 5.0 that wants them.' }),
  })
  .openapi('Farewell')

export const disconnectClient = operation({
  id: 'disconnectClient',
  method: 'post',
  path: '/client/disconnect',
  tag: 'Act',
  summary: 'Ends the connection of a client',
  description: 'Its session lives on as its expiry says, its will is published; the client may come again.',
  query: oneClient,
  body: { schema: farewell },
  answer: { status: 204, description: 'It was connected, and is not any more.', schema: z.undefined() },
  problems: [404],
  act: { message: 'client disconnected', told: ({ query: { clientId } }) => ({ clientId }) },
  async run({ query: { clientId }, body: { reasonCode, reasonString } }, { broker }) {
    const options = {
      ...(reasonCode !== undefined && { reasonCode }),
      ...(reasonString !== undefined && { reasonString }),
    }
    if (!(await broker.disconnect(clientId, options))) throw notConnected()
    return { body: undefined }
  },
})

function notConnected(): Problem {
  return new Problem('not-found', 'no client of this Client Identifier is connected')
}
