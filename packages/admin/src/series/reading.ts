import type { Histogram, Metrics } from '@godwit/broker'
import type { AdministeredBroker } from '../options.js'
import { shareWithin } from './share-within.js'

/** The counters of a broker at one moment, as far as series are made of them. */
export interface Reading {
  /** Monotonic ms. */
  readonly at: number
  readonly gauges: Readonly<Record<Gauge, number>>
  readonly counters: Readonly<Record<Rate, number>>
  readonly histograms: Readonly<Record<Latency, Counts | undefined>>
}

interface Counts {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

/** What there is now. */
export const gauges = [
  'clients',
  'sessions',
  'subscriptions',
  'retained',
  'queuedMessages',
  'queuedBytes',
  'waitingBytes',
  'storedBytes',
] as const
type Gauge = (typeof gauges)[number]

/** So many a second. */
export const rates = [
  'publishReceivedQos0',
  'publishReceivedQos1',
  'publishReceivedQos2',
  'publishSentQos0',
  'publishSentQos1',
  'publishSentQos2',
  'bytesReceived',
  'bytesSent',
  'dropped',
  'refused',
  'clientsAccepted',
] as const
type Rate = (typeof rates)[number]

/** Seconds that 99 of 100 do not exceed: the upper bound of the histogram's step. */
export const latencies = ['commitSeconds', 'fsyncSeconds', 'eventLoopSeconds'] as const
type Latency = (typeof latencies)[number]

/** The names of all series. */
export const seriesNames = [...gauges, ...rates, ...latencies] as const
export type SeriesName = (typeof seriesNames)[number]

/** A value of each series; NaN: there is none. */
export type Point = Readonly<Record<SeriesName, number>>

export async function readingOf(
  broker: AdministeredBroker,
  eventLoopDelay: Histogram | undefined,
  monotonic: () => number,
): Promise<Reading> {
  const [metrics, accounts, clients, sessions, subscriptions, retained] = await Promise.all([
    broker.metrics(),
    broker.accounts(),
    broker.clients.count(),
    broker.sessions.count(),
    broker.subscriptions.count(),
    broker.retained.count(),
  ])
  const { messages, bytes } = metrics.queued
  return {
    at: monotonic(),
    gauges: {
      clients,
      sessions,
      subscriptions,
      retained,
      queuedMessages: messages,
      queuedBytes: bytes,
      waitingBytes: accounts.waiting.bytes,
      storedBytes: accounts.stored.bytes,
    },
    counters: countersOf(metrics),
    histograms: {
      commitSeconds: countsOf(metrics.commits.latency),
      fsyncSeconds: countsOf(metrics.commits.fsync),
      eventLoopSeconds: eventLoopDelay && countsOf(eventLoopDelay),
    },
  }
}

function countersOf(metrics: Metrics): Readonly<Record<Rate, number>> {
  const [received, sent] = [metrics.publishReceivedByQos, metrics.publishSentByQos]
  return {
    publishReceivedQos0: received[0]!,
    publishReceivedQos1: received[1]!,
    publishReceivedQos2: received[2]!,
    publishSentQos0: sent[0]!,
    publishSentQos1: sent[1]!,
    publishSentQos2: sent[2]!,
    bytesReceived: metrics.bytesReceived,
    bytesSent: metrics.bytesSent,
    dropped: metrics.messagesDropped,
    refused: metrics.connectionsRefused,
    clientsAccepted: metrics.clientsAccepted,
  }
}

function countsOf({ bounds, counts }: Histogram): Counts {
  return { bounds, counts: [...counts] }
}

/** The value of each series for the time between two readings. */
export function pointOf(before: Reading, after: Reading): Point {
  const seconds = (after.at - before.at) / 1000
  const point: Partial<Record<SeriesName, number>> = { ...after.gauges }
  for (const name of rates)
    point[name] = seconds > 0 ? (after.counters[name] - before.counters[name]) / seconds : Number.NaN
  for (const name of latencies) point[name] = percentileOf(before.histograms[name], after.histograms[name])
  return point as Point
}

/** NaN: nothing was counted in between. */
function percentileOf(before: Counts | undefined, after: Counts | undefined): number {
  if (!before || !after) return Number.NaN
  const counted = after.counts.map((value, at) => value - before.counts[at]!)
  return shareWithin({ bounds: after.bounds, counts: counted }, 0.99) ?? Number.NaN
}
