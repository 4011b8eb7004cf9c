import type { DropCount, DropEvent } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { explained } from '../explanations.js'
import { textParam } from '../listing.js'
import { operation } from '../operation.js'
import { count, time, timeOf } from '../values.js'

const kind = z.enum(['message', 'connection', 'handshake', 'subscription'])

export const counted = z
  .strictObject({
    kind,
    reason: z.string(),
    count,
    words: z.string().openapi({ description: 'Why, for people.' }),
    settings: z
      .array(z.string())
      .openapi({ description: 'Settings that govern it, by their names in the configuration.' }),
  })
  .openapi('DropCount')

const event = z
  .strictObject({
    at: time,
    kind,
    reason: z.string(),
    words: z.string(),
    clientId: z.string().nullable(),
    address: z.string().nullable(),
    topic: z.string().nullable(),
    filter: z.string().nullable(),
    why: z.string().nullable().openapi({ description: 'More than the reason says, where it is known.' }),
  })
  .openapi('DropEvent')

const drops = z
  .strictObject({
    since: time.openapi({ description: 'An hour ago, or when the API began.' }),
    counts: z.array(counted),
    clients: z.array(z.strictObject({ clientId: z.string(), total: count, counts: z.array(counted) })).openapi({
      description: 'The clients, and shared groups, with the most: 500 at most, the most first.',
    }),
    ofOthers: count.openapi({ description: 'Drops of clients that are not counted by name: there were too many.' }),
    last: z.array(event).openapi({ description: 'The last ones, the newest first; 200 at most.' }),
  })
  .openapi('Drops', { description: 'What was dropped and refused in the last hour, in steps of five minutes.' })

export const counts = (all: readonly DropCount[]): z.infer<typeof counted>[] =>
  all.map((one) => {
    const { words, settings } = explained(one.kind, one.reason)
    return { ...one, words, settings: [...settings] }
  })

const shown = ({ at, kind: one, reason, clientId, address, topic, filter, why }: DropEvent): z.infer<typeof event> => ({
  at: timeOf(at)!,
  kind: one,
  reason,
  words: explained(one, reason).words,
  clientId: clientId ?? null,
  address: address ?? null,
  topic: topic ?? null,
  filter: filter ?? null,
  why: why ?? null,
})

export const listDrops = operation({
  id: 'listDrops',
  method: 'get',
  path: '/drops',
  tag: 'Look',
  summary: 'What was dropped and refused in the last hour: by reason, by client, and why',
  query: z.strictObject({ clientId: textParam('Only those of this client.').optional() }),
  answer: { description: 'As it is now.', schema: drops },
  async run({ query: { clientId } }, { drops: watch, clock, startedAt }) {
    const { counts: all, clients, ofOthers, last } = await watch.recent()
    const since = timeOf(clock.now() - Math.min(3_600_000, clock.monotonic() - startedAt))!
    if (clientId !== undefined) {
      const own = counts(await watch.of(clientId))
      const total = own.reduce((sum, one) => sum + one.count, 0)
      const ofIt = last.filter((one) => one.clientId === clientId).map(shown)
      return {
        body: {
          since,
          counts: own,
          clients: total > 0 ? [{ clientId, total, counts: own }] : [],
          ofOthers: 0,
          last: ofIt,
        },
      }
    }
    const body = {
      since,
      counts: counts(all),
      clients: clients.map((one) => ({ clientId: one.clientId, total: one.total, counts: counts(one.counts) })),
      ofOthers,
      last: last.map(shown),
    }
    return { body }
  },
})
