import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import type { BridgeState, PluginState } from '../parts.js'
import { count, counts, time, timeOf, versionName } from '../values.js'

const bridge = z
  .strictObject({
    name: z.string(),
    connected: z.boolean(),
    since: time.openapi({ description: 'Since when it is connected, or is not.' }),
    server: z
      .string()
      .nullable()
      .openapi({ description: 'The URL of the other broker, without user name and password.' }),
    version: z.string().nullable(),
    problem: z.string().nullable().openapi({ description: 'Why it is not connected; it goes on trying.' }),
    queued: count.openapi({ description: 'Messages that wait to go out, or are on their way.' }),
    out: count.openapi({ description: 'Messages that the other broker has taken.' }),
    in: count.openapi({ description: 'Messages that have come in over it.' }),
    connections: count,
    lostSessions: count.openapi({ description: 'How often the other broker had forgotten the session.' }),
    dropped: counts.openapi({ description: 'Messages that it could not carry, by reason.' }),
  })
  .openapi('Bridge')

export const listBridges = operation({
  id: 'listBridges',
  method: 'get',
  path: '/bridges',
  tag: 'Look',
  summary: 'The bridges to other brokers: whether each is connected, what waits, and what it has carried and dropped',
  needs: 'bridges',
  answer: { description: 'By name.', schema: z.strictObject({ bridges: z.array(bridge) }).openapi('Bridges') },
  run(_, { parts }) {
    return { body: { bridges: parts.bridges.views.map(shownBridge) } }
  },
})

function shownBridge({ since, server, version, problem, dropped, ...same }: BridgeState): z.input<typeof bridge> {
  const { name, connected, queued, out, connections, lostSessions } = same
  return {
    ...{ name, connected, queued, out, in: same.in, connections, lostSessions },
    since: timeOf(since)!,
    server: server ?? null,
    version: version === undefined ? null : versionName(version),
    problem: problem ?? null,
    dropped: { ...dropped },
  }
}

const outlet = z
  .strictObject({
    clientId: z.string().openapi({ description: 'Of the session in which messages wait.' }),
    problem: z.string().nullable().openapi({ description: 'Why messages wait; it goes on trying. null: they go out.' }),
    since: time.openapi({ description: 'Since when messages go out, or do not.' }),
    queued: count.openapi({ description: 'Messages that the destination does not have yet.' }),
    written: count,
    batches: count,
    failed: count.openapi({ description: 'Attempts that failed and were repeated.' }),
    refused: count.openapi({ description: 'Messages that the destination will not have, set aside.' }),
  })
  .openapi('Outlet', { description: 'Where a plugin takes messages to, as a database.' })

const plugin = z
  .strictObject({
    name: z.string(),
    module: z.string(),
    since: time.openapi({ description: 'When this run of it began.' }),
    authenticates: z.boolean().openapi({ description: 'Whether it says who may come in.' }),
    counts: counts.openapi({ description: 'What it has counted, by its own names.' }),
    outlets: z.array(outlet),
  })
  .openapi('Plugin')

export const listPlugins = operation({
  id: 'listPlugins',
  method: 'get',
  path: '/plugins',
  tag: 'Look',
  summary: 'The plugins: what each has counted, and whether messages go out where it takes them',
  needs: 'plugins',
  answer: {
    description: 'In the order in which they are asked.',
    schema: z.strictObject({ plugins: z.array(plugin) }).openapi('Plugins'),
  },
  run(_, { parts }) {
    return { body: { plugins: parts.plugins.views.map(shownPlugin) } }
  },
})

function shownPlugin({ since, counts: counted, outlets, ...same }: PluginState): z.input<typeof plugin> {
  return {
    ...same,
    since: timeOf(since)!,
    counts: { ...counted },
    outlets: outlets.map(({ problem, since: at, ...figures }) => ({
      ...figures,
      problem: problem ?? null,
      since: timeOf(at)!,
    })),
  }
}
