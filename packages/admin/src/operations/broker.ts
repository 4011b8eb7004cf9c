import { version } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import type { Parts } from '../parts.js'
import { count, counts, time, timeOf } from '../values.js'

const account = z.strictObject({ bytes: count, most: count.nullable() }).openapi('Account')

const unreached = z
  .strictObject({ what: z.enum(['bridge', 'plugin']), name: z.string(), since: time, problem: z.string() })
  .openapi('Unreached')

const brokerFacts = z
  .strictObject({
    version: z.string(),
    startedAt: time,
    uptimeSeconds: count,
    listeners: z
      .array(z.string())
      .openapi({ description: 'In words, as `127.0.0.1:1883`. Empty where that is not known.' }),
    ready: z.boolean(),
    notReadyBecause: z.array(z.string()),
    recovered: z
      .strictObject({ sessions: count, retained: count, wills: count, queued: count })
      .openapi({ description: 'What was found in the store at the start.' }),
    clients: count,
    sessions: count,
    subscriptions: count,
    retained: count,
    retainedBytes: count,
    waiting: account,
    stored: account,
    tlsExpiresAt: time.nullable().openapi({ description: 'When the first certificate of a listener expires.' }),
    unreached: z.array(unreached).openapi({
      description: 'What it tries to reach and cannot now: bridges, and what plugins take messages to.',
    }),
    cluster: z.string().nullable().openapi({ description: 'The cluster that it is a node of; null: it is alone.' }),
  })
  .openapi('Broker')

export const getBroker = operation({
  id: 'getBroker',
  method: 'get',
  path: '/broker',
  tag: 'Look',
  summary: 'The broker: version, uptime, listeners, and how much of everything there is',
  answer: { description: 'As it is now.', schema: brokerFacts },
  async run(_, { broker, parts, clock, options, startedAt }) {
    const [metrics, accounts, readiness, clients, sessions, subscriptions, retained, retainedBytes] = await Promise.all(
      [
        broker.metrics(),
        broker.accounts(),
        broker.readiness(),
        broker.clients.count(),
        broker.sessions.count(),
        broker.subscriptions.count(),
        broker.retained.count(),
        broker.retained.bytes(),
      ],
    )
    const upMs = clock.monotonic() - startedAt
    const finite = ({ bytes, most }: { bytes: number; most: number }) => ({
      bytes,
      most: Number.isFinite(most) ? most : null,
    })
    const body = {
      version,
      startedAt: timeOf(clock.now() - upMs)!,
      uptimeSeconds: Math.floor(upMs / 1000),
      listeners: [...(options.listeners?.() ?? [])],
      ready: readiness.ready,
      notReadyBecause: [...readiness.reasons],
      recovered: { ...broker.recovered },
      clients,
      sessions,
      subscriptions,
      retained,
      retainedBytes,
      waiting: finite(accounts.waiting),
      stored: finite(accounts.stored),
      tlsExpiresAt: timeOf(metrics.tlsExpiresAt),
      unreached: unreachedBy(parts),
      cluster: parts.cluster?.view().cluster ?? null,
    }
    return { body }
  },
})

function unreachedBy({ bridges, plugins }: Parts): z.input<typeof unreached>[] {
  const away = (bridges?.views ?? []).filter(({ connected }) => !connected)
  const waiting = (plugins?.views ?? []).flatMap(({ name, outlets }) =>
    outlets.flatMap(({ problem, since }) => (problem === undefined ? [] : [{ name, since, problem }])),
  )
  return [
    ...away.map(({ name, since, problem = 'it has not been connected yet' }) => {
      return { what: 'bridge' as const, name, since: timeOf(since)!, problem }
    }),
    ...waiting.map(({ name, since, problem }) => ({ what: 'plugin' as const, name, since: timeOf(since)!, problem })),
  ]
}

const histogram = z
  .strictObject({ bounds: z.array(z.number()), counts: z.array(z.number()), count, sum: z.number() })
  .openapi('Histogram', {
    description: 'How many values fell to each upper bound; the last count is what was above all.',
  })

const byQos = z.array(count).length(3)

const counters = z
  .strictObject({
    at: time,
    plain: counts.openapi({ description: 'Counters from the start, by name.' }),
    publishReceivedByQos: byQos,
    publishSentByQos: byQos,
    publishBytesReceivedByQos: byQos,
    publishBytesSentByQos: byQos,
    dropped: counts.openapi({ description: 'Messages dropped, by reason.' }),
    refused: counts.openapi({ description: 'Connections refused, by reason.' }),
    handshakesRefused: counts,
    subscriptionsRefused: counts,
    queued: z.strictObject({ messages: z.number(), bytes: z.number() }),
    commits: z.strictObject({
      writes: histogram,
      latency: histogram,
      fsync: histogram,
      failures: count,
      failing: z.string().nullable(),
    }),
    store: z.strictObject({
      liveBytes: count,
      fileBytes: count,
      freeBytes: count,
      reserveBytes: count,
      isLow: z.boolean(),
      isSilent: z.boolean(),
      damagedRecords: count,
    }),
  })
  .openapi('Counters')

export const getCounters = operation({
  id: 'getCounters',
  method: 'get',
  path: '/counters',
  tag: 'Look',
  summary: 'Every counter of the broker since its start',
  description: 'The same that `/metrics` has for Prometheus.',
  answer: { description: 'As they are now.', schema: counters },
  async run(_, { broker, clock }) {
    const metrics = await broker.metrics()
    const {
      commits,
      store,
      queued,
      dropped,
      refused,
      handshakesRefused,
      subscriptionsRefused,
      tlsExpiresAt: _t,
    } = metrics
    const plain = Object.entries(metrics).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
    const ofHistogram = ({ bounds, counts: all, count: number, sum }: typeof commits.latency) => ({
      bounds: [...bounds],
      counts: [...all],
      count: number,
      sum,
    })
    const body = {
      at: timeOf(clock.now())!,
      plain: Object.fromEntries(plain.filter(([name]) => name !== 'tlsExpiresAt')),
      publishReceivedByQos: [...metrics.publishReceivedByQos],
      publishSentByQos: [...metrics.publishSentByQos],
      publishBytesReceivedByQos: [...metrics.publishBytesReceivedByQos],
      publishBytesSentByQos: [...metrics.publishBytesSentByQos],
      dropped: { ...dropped },
      refused: { ...refused },
      handshakesRefused: { ...handshakesRefused },
      subscriptionsRefused: { ...subscriptionsRefused },
      queued: { ...queued },
      commits: {
        writes: ofHistogram(commits.writes),
        latency: ofHistogram(commits.latency),
        fsync: ofHistogram(commits.fsync),
        failures: commits.failures,
        failing: commits.failing ?? null,
      },
      store: { ...store },
    }
    return { body }
  },
})
