import { z } from '@hono/zod-openapi'
import type { FeedName } from '../follow/feeds.js'
import { textParam } from '../listing.js'
import { logLine } from '../log-lines.js'
import { operationOfAnyNode } from '../operation.js'
import { Problem } from '../problem.js'
import { leastRoleWithin, mayAs } from '../roles.js'
import { seriesNames } from '../series/reading.js'
import { count, time } from '../values.js'

const change = z
  .strictObject({
    type: z.enum([
      'client-connected',
      'client-gone',
      'session-created',
      'session-ended',
      'subscribed',
      'unsubscribed',
      'retained-set',
      'retained-deleted',
    ]),
    clientId: z.string().optional(),
    filter: z.string().optional(),
    topic: z.string().optional(),
  })
  .openapi('Change')

const traced = z
  .strictObject({
    at: time,
    clientId: z.string().nullable(),
    address: z.string(),
    direction: z.enum(['in', 'out']).openapi({ description: 'As the broker sees it.' }),
    packet: z.looseObject({ type: z.string() }).openapi({ description: 'Without payload and password.' }),
  })
  .openapi('TracedPacket')

const point = z
  .strictObject({ at: time, ...Object.fromEntries(seriesNames.map((name) => [name, z.number().nullable()])) })
  .openapi('MetricsPoint', { description: 'Of the last second: the series of the history.' })

const batch = <T extends z.ZodType>(items: T, name: string) =>
  z
    .strictObject({
      items: z.array(items),
      missed: count.openapi({ description: 'So many more came, and are left out.' }),
    })
    .openapi(name)

const event = <const N extends string, T extends z.ZodType>(name: N, data: T) =>
  z.strictObject({ event: z.literal(name), data })

const events = z.array(
  z.union([
    event('open', z.strictObject({ feeds: z.array(z.string()) })),
    event('changes', batch(change, 'Changes')),
    event('log', batch(logLine, 'LogLines')),
    event('metrics', batch(point, 'Metrics')),
    event('trace', batch(traced, 'Trace')),
    event('cut', z.strictObject({ missed: count })),
    event('end', z.strictObject({ why: z.string().optional() })),
  ]),
)

const feedNames = ['changes', 'log', 'metrics']

export const followEvents = operationOfAnyNode({
  id: 'followEvents',
  method: 'get',
  path: '/events',
  tag: 'Follow',
  summary: 'One stream of what happens: changes, log, metrics, and the packets of a client or a topic',
  description:
    'Server-sent events: `open` first, then each named after its feed, with JSON as data. A reader that is too slow is cut off with `cut` and how much it misses, and has to ask again; `end`: the token is not good any more, or the server is closing. Traces are an operator’s.',
  query: z.strictObject({
    feeds: z
      .string()
      .max(100)
      .transform((value) => value.split(','))
      .refine(
        (names) => names.every((name) => feedNames.includes(name)),
        `it takes of ${feedNames.join(', ')}, with commas between`,
      )
      .optional()
      .openapi({ type: 'string', description: `Of ${feedNames.join(', ')}, with commas between. Default: none.` }),
    traceClientId: textParam('Packets of this client.').optional(),
    traceTopic: textParam(
      'PUBLISH packets of topics that match this Topic Filter; with a client, of that one.',
    ).optional(),
  }),
  answer: { description: 'The events, as they come.', schema: events, type: 'text/event-stream' },
  problems: [501, 503],
  async run({ query: { feeds = [], traceClientId, traceTopic }, who }, desk) {
    const trace =
      traceClientId === undefined && traceTopic === undefined
        ? undefined
        : {
            ...(traceClientId !== undefined && { clientId: traceClientId }),
            ...(traceTopic !== undefined && { topic: traceTopic }),
          }
    if (trace && !mayAs(who!.role, leastRoleWithin.trace)) {
      throw new Problem('forbidden', `a trace needs the role ${leastRoleWithin.trace}`)
    }
    if (!trace && feeds.length === 0)
      throw new Problem('invalid-request', 'query: it takes feeds, traceClientId or traceTopic')
    const stream = await desk.feeds.open([...new Set(feeds)] as FeedName[], trace, who!)
    return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } })
  },
})
